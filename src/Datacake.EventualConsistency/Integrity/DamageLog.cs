using System.Collections.Concurrent;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Integrity;

/// <summary>The damaged records that were read and are not mended yet. Thread-safe.</summary>
sealed class DamageLog
{
    /// <summary>Damage beyond so many records is found again by whoever reads it.</summary>
    const int MaxRecords = 10_000;

    readonly ConcurrentDictionary<StorageKey, int> _records = [];   // with how often it was tried to mend it
    long _found;

    /// <summary>Gets or sets the keyspaces of the store, once they are known, for the messages.</summary>
    public KeyspaceCatalog? Catalog { get; set; }

    /// <summary>Gets the number of damaged records that were found since the store was opened.</summary>
    public long Found => Volatile.Read(ref _found);

    /// <summary>Gets the storage keys of the records that are not mended yet.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Records => [.. _records.Keys.Select(key => key.Bytes)];

    /// <summary>Gets the number of records that are not mended yet.</summary>
    public int Count => _records.Count;

    /// <summary>Takes note of a damaged record, and returns the exception for whoever reads it.</summary>
    public StorageException Add(IStorage storage, ReadOnlySpan<byte> key)
    {
        if (_records.Count < MaxRecords && _records.TryAdd(new StorageKey(key.ToArray()), 0))
            Interlocked.Increment(ref _found);
        string remedy = StoreLayout.IsDocumentKey(key)
            ? "It is fetched again as soon as other nodes are in session: try again in a moment. Where no other node has it, restore a backup."
            : "What can be computed or fetched again is mended while the store is open. If this stays, restore a backup, or move the store away and start with "
                + "an empty one, which the other nodes fill again (set TakeOverNodeId).";
        return new StorageException(StorageError.Corrupt,
            $"The {storage.Description} is damaged: {Describe(key)} is not what was written there. {remedy}");
    }

    /// <summary>Counts an attempt to mend a record, and returns how many there were before.</summary>
    public int CountAttempt(ReadOnlyMemory<byte> key) => _records.AddOrUpdate(new StorageKey(key), 1, static (_, attempts) => attempts + 1) - 1;

    /// <summary>Returns what is stored under a key, for messages.</summary>
    public string Describe(ReadOnlySpan<byte> key) => StoreLayout.Describe(key, number => Catalog?.FindByNumber(number)?.Name);

    /// <summary>Takes note that a record is mended.</summary>
    public void Remove(ReadOnlyMemory<byte> key) => _records.TryRemove(new StorageKey(key), out _);
}
