using System.Collections.Immutable;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Keyspaces;

/// <summary>What a batch changes of a keyspace. It counts once the batch is committed.</summary>
sealed class KeyspaceChange(KeyspaceEntry keyspace)
{
    readonly KeyspaceState _before = keyspace.State;
    IndexValues? _values;                       // takes those of one document after the other
    ImmutableArray<IndexEntrySet> _written;
    long _count;
    UInt128 _fingerprint;

    public KeyspaceEntry Keyspace { get; } = keyspace;

    /// <summary>The keyspace as it will be, but for the documents of the batch, which are added in the end.</summary>
    public KeyspaceState State { get; set; } = keyspace.State;

    /// <summary>Adds a document's change, its index entries included, to the storage batch.</summary>
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

    /// <summary>Adds the records that differ from those stored; the totals count from here on.</summary>
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
    /// The first document's change: what no declaration of this process has named is not kept up, and no longer what it says it is. One that this
    /// batch drops is kept up once more, for those who read by it until the batch is committed.
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
