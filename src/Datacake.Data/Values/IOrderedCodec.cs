using Datacake.EventualConsistency;

namespace Datacake.Data.Metadata;

/// <summary>
/// Writes values of a type so that their bytes compare as they do: for keys and indexes. Immutable and thread-safe. For generated code.
/// </summary>
public interface IOrderedCodec
{
    /// <summary>Writes a value of the type, or of one that converts to it without loss; <see langword="false"/> if it is neither.</summary>
    bool TryWriteOrdered(OrderedKeyWriter writer, object? value);

    /// <summary>Reads a MessagePack value and writes it in ordered form; nil too.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    void CopyOrdered(ReadOnlySpan<byte> value, OrderedKeyWriter writer);
}
