namespace Datacake.Data.Values;

/// <summary>A codec of values that indexes contain.</summary>
interface IIndexedCodec
{
    /// <summary>True if an index has the values exactly as they are stored, so that they can be read from it.</summary>
    bool IsExactInIndex { get; }
}
