using Datacake.EventualConsistency;

namespace Datacake.Data.Values;

/// <summary>A codec of values that indexes contain.</summary>
interface IIndexedCodec
{
    /// <summary>True if an index has the values exactly as they are stored, so that they can be read from it.</summary>
    bool IsExactInIndex { get; }

    /// <summary>Reads a value from a key.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a value of the type.</exception>
    object? ReadKey(ref OrderedKeyReader reader);
}
