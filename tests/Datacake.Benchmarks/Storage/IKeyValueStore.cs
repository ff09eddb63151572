using Datacake.Storage;

namespace Datacake.Benchmarks.Storage;

/// <summary>What the storage cells ask of a provider and of the library that it is made of.</summary>
interface IKeyValueStore : IAsyncDisposable
{
    /// <summary>Puts entries in one transaction.</summary>
    void Commit(ReadOnlySpan<(byte[] Key, byte[] Value)> entries, Durability durability);

    /// <summary>The length of a key's value, read in a transaction of its own; -1 if there is none.</summary>
    int Get(byte[] key);

    /// <summary>Reads so many entries from a key on, each with memory that outlives the next one; the sum of their lengths.</summary>
    long Scan(byte[] from, int count);
}
