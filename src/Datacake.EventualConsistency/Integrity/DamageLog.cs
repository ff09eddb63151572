using System.Collections.Concurrent;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Integrity;

/// <summary>The damaged records that were read and are not repaired yet. Thread-safe.</summary>
/// <remarks>See PROTOCOL.md: damage.</remarks>
sealed class DamageLog
{
    /// <summary>The maximum number of damaged records that are remembered. Reading other damaged records finds them again.</summary>
    const int MaxRecords = 10_000;

    readonly ConcurrentDictionary<StorageKey, int> _records = [];   // with the number of attempts to repair each
    long _found;

    /// <summary>Gets or sets the keyspaces of the store, once they are loaded. They are used in messages.</summary>
    public KeyspaceCatalog? Catalog { get; set; }

    /// <summary>Gets the number of damaged records that were found since the store was opened.</summary>
    public long Found => Volatile.Read(ref _found);

    /// <summary>Gets the storage keys of the records that are not repaired yet.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Records => [.. _records.Keys.Select(key => key.Bytes)];

    /// <summary>Gets the number of records that are not repaired yet.</summary>
    public int Count => _records.Count;

    /// <summary>Adds a damaged record, and returns the exception for its reader.</summary>
    public StorageException Add(IStorage storage, ReadOnlySpan<byte> key)
    {
        if (_records.Count < MaxRecords && _records.TryAdd(new StorageKey(key.ToArray()), 0))
            Interlocked.Increment(ref _found);
        string remedy = StoreLayout.IsDocumentKey(key)
            ? "It will be fetched from other nodes as soon as they are in session; retry in a moment. If no other node has it, restore a backup."
            : "Records that can be computed or fetched are repaired while the store is open. If the damage remains, restore a backup, or move the store away and start with "
                + "an empty one, which the other nodes fill again (set TakeOverNodeId).";
        return new StorageException(StorageError.Corrupt,
            $"The {storage.Description} is damaged: the checksum of {Describe(key)} is wrong. {remedy}");
    }

    /// <summary>Counts an attempt to repair a record, and returns the number of earlier attempts.</summary>
    public int CountAttempt(ReadOnlyMemory<byte> key) => _records.AddOrUpdate(new StorageKey(key), 1, static (_, attempts) => attempts + 1) - 1;

    /// <summary>Returns a description of the record under a key, for messages.</summary>
    public string Describe(ReadOnlySpan<byte> key) => StoreLayout.Describe(key, number => Catalog?.FindByNumber(number)?.Name);

    /// <summary>Removes a record that is repaired.</summary>
    public void Remove(ReadOnlyMemory<byte> key) => _records.TryRemove(new StorageKey(key), out _);
}
