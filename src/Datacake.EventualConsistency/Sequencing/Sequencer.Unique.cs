using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Transactions;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Sequencing;

// Unique values [S4]. Each store keeps an index for each unique index that the sequence has brought, so that any of them can be the sequencer.
partial class Sequencer
{
    const int MaxUniqueIndexes = 100_000;

    readonly Dictionary<string, List<UniqueIndex>> _unique = [];       // by keyspace, as the store has them
    bool _isUniqueLoaded;

    /// <summary>Gets the reason why no write is taken: a later version has recorded a unique index that this one cannot enforce. Null if there is none.</summary>
    public string? UnreadableIndex { get; private set; }

    /// <summary>Reads the records of unique indexes, if they may have changed, and keeps an index for each.</summary>
    async ValueTask KeepUniqueIndexesAsync(ReplicaBatch batch)
    {
        if (_replica.Catalog.Find(UniqueIndex.RecordKeyspace) is not { } records)
        {
            _unique.Clear();
            UnreadableIndex = null;
            return;
        }
        if (_isUniqueLoaded && !batch.HasChanged(records))
            return;
        _isUniqueLoaded = true;
        string? unreadable = null;
        _unique.Clear();
        var limit = new ReadLimit(MaxUniqueIndexes, long.MaxValue);
        await foreach (var (_, key, document) in new RangeReader(batch, WaitingWrites.None, limit)
            .ReadAsync(UniqueIndex.RecordKeyspace, records, index: null, KeyRange.All, MaxUniqueIndexes).ConfigureAwait(false))
        {
            if (ReadRecord(document, out string? reason) is not { } index)
                unreadable ??= $"the unique index with the record {key} cannot be read: {reason} Update the library on this node, or delete that document of the keyspace {UniqueIndex.RecordKeyspace}, which ends the enforcement of the index.";
            else if (_unique.TryGetValue(index.Keyspace, out var known))
                known.Add(index);
            else
                _unique.Add(index.Keyspace, [index]);
        }
        if (limit.IsExceeded)
            unreadable ??= $"there are more than {MaxUniqueIndexes} unique indexes. Delete the records of those that are no longer used.";
        UnreadableIndex = unreadable;
        var kept = _unique.Keys.Select(name => batch.FindOrAddKeyspace(name, MergePolicy.Serial));
        foreach (var keyspace in kept.Union(_replica.Catalog.All.Where(static keyspace => keyspace.State.Indexes.Any(static index => UniqueIndex.IsStored(index.Definition.Name)))).ToArray())
        {
            var indexes = _unique.GetValueOrDefault(keyspace.Name)?.ConvertAll(static index => index.Stored) ?? [];
            await KeyspaceDeclarer.KeepAsync(_replica, batch, keyspace, indexes, UniqueIndex.IsStored).ConfigureAwait(false);
        }
    }

    /// <summary>Finds the first document of a transaction that would have a value which another document has, once all its operations are applied.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="indexes">The unique indexes that the transaction names.</param>
    /// <param name="operations">The operations.</param>
    async ValueTask<Verdict> CheckUniqueAsync(ReplicaBatch batch, IReadOnlyList<UniqueIndex> indexes, IReadOnlyList<SerialOperation> operations)
    {
        // The transaction that brings an index waits until the index is in force, and has all documents.
        if (RecordUniqueIndexes(indexes))
            return Verdict.Busy;
        // The way out while a record cannot be read: to delete it.
        if (operations.All(static operation => operation.Operation.Keyspace == UniqueIndex.RecordKeyspace))
            return Verdict.Holds;
        var last = new Dictionary<string, Dictionary<DocumentKey, int>>();
        for (int i = 0; i < operations.Count; i++)
        {
            var operation = operations[i].Operation;
            if (!last.TryGetValue(operation.Keyspace, out var ofKeyspace))
                last.Add(operation.Keyspace, ofKeyspace = []);
            ofKeyspace[operation.Key] = i;
        }
        foreach (var (name, written) in last)
        {
            if (UnreadableIndex is not null || IsUniqueIndexWaiting(name))
                return Verdict.Busy;
            foreach (var index in _unique.GetValueOrDefault(name) ?? [])
            {
                var verdict = await CheckUniqueAsync(batch, index, operations, written).ConfigureAwait(false);
                if (verdict != Verdict.Holds)
                    return verdict;
            }
        }
        return Verdict.Holds;
    }

    async ValueTask<Verdict> CheckUniqueAsync(ReplicaBatch batch, UniqueIndex unique, IReadOnlyList<SerialOperation> operations, Dictionary<DocumentKey, int> written)
    {
        var keyspace = _replica.Catalog.Find(unique.Keyspace);
        var index = keyspace?.State.Indexes.FirstOrDefault(index => index.Definition.Name == unique.Stored.Name);
        if (keyspace is null || index is null || !CanRead(batch, keyspace, index))
        {
            _isUniqueLoaded &= index is not null;
            return Verdict.Busy;
        }
        var owners = new Dictionary<StorageKey, DocumentKey>();
        foreach (var (key, number) in written)
        {
            var operation = operations[number].Operation;
            if (operation.Kind == DocumentOperationKind.Delete || unique.ValueOf(key, Document.Put(SerialOperation.NoStampYet, operation.Content)) is not { } value)
                continue;
            if (!owners.TryAdd(new StorageKey(value), key))
            {
                var owner = owners[new StorageKey(value)];
                if (!await HasAsync(key).ConfigureAwait(false))
                    return Refusal(number, owner);
                if (!await HasAsync(owner).ConfigureAwait(false))
                    return Refusal(written[owner], key);
            }
            // Documents that the transaction itself writes, and that therefore no longer have the value, are skipped.
            var limit = new ReadLimit(written.Count + _settings.MaxRecordsRead, long.MaxValue);
            await foreach (var (_, other, _) in new RangeReader(batch, WritesInUniqueIndexes, limit)
                .ReadAsync(unique.Keyspace, keyspace, index, KeyRange.WithPrefix(value), expected: 1).ConfigureAwait(false))
            {
                if (written.ContainsKey(other))
                    continue;
                // Documents that had the same value before the index was in force can still be written.
                if (!await HasAsync(key).ConfigureAwait(false))
                    return Refusal(number, other);
                break;
            }
            if (limit.IsExceeded)
                return Verdict.Busy;

            async ValueTask<bool> HasAsync(DocumentKey document) =>
                await FindAsync(batch, keyspace, document).ConfigureAwait(false) is { } present && unique.ValueOf(document, present) is { } before && before.AsSpan().SequenceEqual(value);
        }
        return Verdict.Holds;

        SerialRefusal Refusal(int operation, DocumentKey owner) => new(RefusalReason.Unique, operation) { Index = unique.Name, Owner = owner };
    }

    /// <summary>Returns a document as it is once the entries that wait are applied; null if there is none.</summary>
    async ValueTask<Document?> FindAsync(ReplicaBatch batch, KeyspaceEntry keyspace, DocumentKey key)
    {
        if (WritesInUniqueIndexes.Find(keyspace.Name, key) is { } waiting)
            return waiting.Document;
        var document = await batch.PeekAsync(StoreLayout.DocumentKey(keyspace.Number, key.Encoded.Span)).ConfigureAwait(false);
        return document.IsAlive(keyspace.Policy) ? document : null;
    }

    /// <summary>Puts unique indexes into the sequence that it does not have. Returns true if there were any, or some are still waiting.</summary>
    bool RecordUniqueIndexes(IReadOnlyList<UniqueIndex> indexes)
    {
        List<SerialOperation>? added = null;
        bool isWaiting = false;
        foreach (var index in indexes)
        {
            if (FindWaiting(UniqueIndex.RecordKeyspace, index.RecordKey) is { } waiting)
                isWaiting |= waiting.Kind != DocumentOperationKind.Delete;
            else if (_unique.GetValueOrDefault(index.Keyspace)?.Any(known => known.RecordKey == index.RecordKey) != true)
                (added ??= []).Add(new SerialOperation(MergePolicy.Serial, new DocumentOperation(DocumentOperationKind.Put, UniqueIndex.RecordKeyspace, index.RecordKey, index.RecordContent, [])));
        }
        if (added is null)
            return isWaiting;
        var entry = SequenceEntry.OfUniqueIndexes(Kept.Epoch, added);
        if (Waiting == 0 || _log.Length + entry.Encoded.Length <= _settings.MaxWaitingLength)
        {
            Append(entry);
            Note(entry, _log.Last);
        }
        return true;
    }

    /// <summary>Returns true if a unique index of a keyspace is in the sequence, but not yet in the store.</summary>
    bool IsUniqueIndexWaiting(string keyspace) => _writes.Within(UniqueIndex.RecordKeyspace, index: null, KeyRange.All)
        .Any(record => ReadRecord(record.Document, out _) is not { } index || index.Keyspace == keyspace);

    static UniqueIndex? ReadRecord(Document record, out string? reason)
    {
        reason = "The record is empty.";
        try
        {
            return record.Value is { } value ? UniqueIndex.Decode(value) : null;
        }
        catch (InvalidDataException e)
        {
            reason = e.Message;
            return null;
        }
    }
}
