using System.ComponentModel;
using Datacake.EventualConsistency;

namespace Datacake.Data.CodeGeneration;

/// <summary>
/// A codec that writes values so that their bytes sort as the values do, for keys and indexes. Immutable and thread-safe. For generated
/// code.
/// </summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IOrderedCodec
{
    /// <summary>
    /// Writes a value of the type, or of a type that converts to it without loss. Returns false for any other value.
    /// </summary>
    bool TryWriteOrdered(OrderedKeyWriter writer, object? value);

    /// <summary>Reads a MessagePack value, which may be nil, and writes it in ordered form.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    void CopyOrdered(ReadOnlySpan<byte> value, OrderedKeyWriter writer);
}
