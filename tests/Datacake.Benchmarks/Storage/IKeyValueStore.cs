using Datacake.Storage;

namespace Datacake.Benchmarks.Storage;

/// <summary>The operations of the storage cells, on a provider and on its underlying library.</summary>
interface IKeyValueStore : IAsyncDisposable
{
    /// <summary>Puts entries in one transaction.</summary>
    void Commit(ReadOnlySpan<(byte[] Key, byte[] Value)> entries, Durability durability);

    /// <summary>Reads a key in a separate transaction and returns the length of its value; -1 if there is none.</summary>
    int Get(byte[] key);

    /// <summary>
    /// Reads the given number of entries, starting at a key, and returns the sum of their lengths. The memory of an entry stays valid after
    /// the next one is read.
    /// </summary>
    long Scan(byte[] from, int count);
}
