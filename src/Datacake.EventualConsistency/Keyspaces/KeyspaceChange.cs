using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>The change that a batch makes to a keyspace. It takes effect when the batch is committed.</summary>
sealed class KeyspaceChange(KeyspaceEntry keyspace)
{
    readonly KeyspaceState _before = keyspace.State;
    IndexValues? _values;                       // reused for each document
    ImmutableArray<IndexEntrySet> _written;
    long _count;
    UInt128 _fingerprint;

    public KeyspaceEntry Keyspace { get; } = keyspace;

    /// <summary>Gets or sets the state after the batch, without the batch's documents, which are added when it is finished.</summary>
    public KeyspaceState State { get; set; } = keyspace.State;

    /// <summary>Adds the change of a document, including its index entries, to the storage batch.</summary>
    public void Add(WriteBatch batch, BatchMemory memory, ReadOnlySpan<byte> key, Document before, Document after)
    {
        var policy = State.Record.Policy;
        bool wasAlive = before.IsAlive(policy), isAlive = after.IsAlive(policy);
        if (wasAlive || isAlive)
        {
            _count += (isAlive ? 1 : 0) - (wasAlive ? 1 : 0);
            _fingerprint += Fingerprint.Of(key, after, policy) - Fingerprint.Of(key, before, policy);
        }
        if (_written.IsDefault)
            DropUndeclared();
        foreach (var index in _written)
            index.Update(batch, memory, _values ??= new(), key, wasAlive ? before : null, isAlive ? after : null);
    }

    /// <summary>Adds the records that differ from the stored ones. From here on, the state includes the batch's documents.</summary>
    public void Finish(WriteBatch batch, bool isStored)
    {
        if (_count != 0 || _fingerprint != 0)
            State = State with { Record = State.Record with { Count = State.Record.Count + _count, Fingerprint = State.Record.Fingerprint + _fingerprint } };
        if (!isStored || !ReferenceEquals(State.Record, _before.Record))
            batch.Put(StoreLayout.KeyspaceKey(Keyspace.Number), State.Record.Encode());
        if (ReferenceEquals(State.IndexRecords, _before.IndexRecords))
            return;
        foreach (var (number, record) in State.IndexRecords)
        {
            if (!_before.IndexRecords.TryGetValue(number, out var stored) || !ReferenceEquals(record, stored))
                batch.Put(StoreLayout.IndexKey(number), record.Encode());
        }
        foreach (ushort number in _before.IndexRecords.Keys.Where(number => !State.IndexRecords.ContainsKey(number)))
            batch.Delete(StoreLayout.IndexKey(number));
    }

    /// <summary>
    /// Drops the indexes that no declaration of this process names, when the first document of the keyspace changes: they are not
    /// maintained, and therefore become outdated. An index that is dropped in this batch is maintained once more, for readers that use it
    /// until the batch is committed.
    /// </summary>
    void DropUndeclared()
    {
        foreach (var (number, record) in State.IndexRecords)
        {
            if (record.Stage != IndexStage.Dropped && !State.Indexes.Any(index => index.Number == number))
                State = State.WithDropped(number);
        }
        var indexes = State.Indexes;
        if (indexes.IsEmpty && _before.Indexes.IsEmpty)
        {
            _written = [];
            return;
        }
        _written = indexes.AddRange(_before.Indexes.Where(index => !indexes.Any(kept => kept.Number == index.Number)));
    }
}
