using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// Everything that one storage commit changes: documents, log, knowledge, identity, and the index entries that follow from the documents. It reads
/// through its own changes to a snapshot. Nothing of it counts before the commit has succeeded. Not thread-safe.
/// </summary>
sealed class ReplicaBatch
{
    readonly IStorageSnapshot _snapshot;
    readonly KeyspaceCatalog _catalog;
    readonly ReplicaState _before;
    readonly BatchBuffers _buffers;
    readonly Dictionary<StorageKey, BatchDocument> _documents;
    readonly BatchLog _log;
    readonly List<(ReadOnlyMemory<byte> Key, Document Mine, Document Others)> _replaced = [];
    readonly Dictionary<ushort, KeyspaceChange> _keyspaces;
    WriteBatch? _extra;
    WriteBatch? _builtEntries;
    ReplicaState _state;

    // The claim that was made last and is not in _state yet: those of one origin mostly continue each other, so most need no new vector.
    byte _claimNode;
    StampInterval _claim;

    /// <summary>Starts a batch in buffers that no other batch uses any more.</summary>
    public ReplicaBatch(IStorageSnapshot snapshot, KeyspaceCatalog catalog, ReplicaState state, BatchBuffers buffers)
    {
        buffers.Reset();
        _snapshot = snapshot;
        _catalog = catalog;
        _before = _state = state;
        _buffers = buffers;
        _documents = buffers.Documents;
        _log = buffers.Log;
        _keyspaces = buffers.Keyspaces;
    }

    /// <summary>What the replica knows once this batch is committed.</summary>
    public ReplicaState State
    {
        get
        {
            if (_claim != default)
            {
                _state = _state with { Known = _state.Known.Union(_claimNode, _claim.Low, _claim.High) };
                _claim = default;
            }
            return _state;
        }
        set
        {
            _claim = default;
            _state = value;
        }
    }

    /// <summary>What the replica knew before this batch.</summary>
    public ReplicaState Before => _before;

    /// <summary>What is truncated once this batch is committed. Claims do not change it, so that asking costs nothing.</summary>
    public VersionVector Truncated => _state.Truncated;

    public IStorageSnapshot Snapshot => _snapshot;

    /// <summary>For small keys and records, until the commit.</summary>
    public BatchMemory Memory => _buffers.Memory;

    /// <summary>What to send once the batch is committed.</summary>
    public List<Outgoing> Outbox { get; } = [];

    /// <summary>The local transactions of the batch, for every peer with whom a session is open.</summary>
    public List<Mutation> Mutations { get; } = [];

    /// <summary>Those of them that write again what an assertion of another replica has taken the place of.</summary>
    public List<HlcTimestamp> WrittenAgain { get; } = [];

    /// <summary>Whether the batch has something that was pulled, so that it is worth telling the peers at once.</summary>
    public bool HasPulled { get; set; }

    /// <summary>Whether the batch removes all documents that are stored, before it adds its own.</summary>
    public bool IsWiped { get; private set; }

    /// <summary>Whether the batch reconciles the snapshot that lay aside.</summary>
    public bool IsReconciled { get; set; }

    /// <summary>The stamp of the last local transaction, or none if the batch has none.</summary>
    public HlcTimestamp LastWritten { get; set; }

    /// <summary>
    /// The documents that the batch has read or changed, by their storage keys: as they were, and as they are after it. The keys are the batch's memory.
    /// </summary>
    public IEnumerable<(ReadOnlyMemory<byte> Key, Document Before, Document After)> Documents =>
        _documents.Select(document => (document.Key.Bytes, document.Value.Before, document.Value.After));

    public bool Knows(HlcTimestamp stamp) =>
        (stamp.Node == _claimNode && _claim.Contains(stamp)) || _state.Known.Contains(stamp);

    /// <summary>From now on, the stamps of a node above <paramref name="low"/> and not above <paramref name="high"/> are known.</summary>
    public void Claim(byte node, HlcTimestamp low, HlcTimestamp high)
    {
        if (_claimNode == node && _claim.High == low && _claim != default)
        {
            _claim = _claim with { High = high };
            return;
        }
        _ = State;
        (_claimNode, _claim) = (node, new StampInterval(low, high));
    }

    public void Claim(VersionVector claims) => State = State with { Known = State.Known.Union(claims) };

    /// <summary>From now on, these runs are known.</summary>
    public void Note(NodeRuns runs)
    {
        var union = _state.Runs.Union(runs);
        if (!ReferenceEquals(union, _state.Runs))
            State = State with { Runs = union };
    }

    /// <summary>From now on, a run of a node is known.</summary>
    public void Note(byte node, HlcTimestamp run)
    {
        if (run > _state.Runs[node])
            State = State with { Runs = _state.Runs.With(node, run) };
    }

    /// <summary>A document's storage key, in the batch's memory.</summary>
    public ReadOnlyMemory<byte> KeyOf(KeyspaceEntry keyspace, DocumentKey key)
    {
        var storageKey = _buffers.Memory.Take(StoreLayout.DocumentPrefixLength + key.Encoded.Length);
        StoreLayout.WriteDocumentKey(storageKey.Span, keyspace.Number, key.Encoded.Span);
        return storageKey;
    }

    /// <summary>The storage key, in the batch's memory, of a document that another node names.</summary>
    public ReadOnlyMemory<byte> KeyOf(DocumentName name) => KeyOf(_catalog.FindOrAdd(name.Keyspace, name.Policy), new DocumentKey(name.Key));

    /// <summary>A document's name, for other nodes. It is valid as long as the key.</summary>
    public DocumentName NameOf(ReadOnlyMemory<byte> documentKey)
    {
        var keyspace = _catalog[StoreLayout.KeyspaceOf(documentKey.Span)];
        return new DocumentName(keyspace.Name, keyspace.Policy, documentKey[StoreLayout.DocumentPrefixLength..]);
    }

    /// <summary>The merge policy of a document's keyspace.</summary>
    public MergePolicy PolicyOf(ReadOnlyMemory<byte> documentKey) => _catalog[StoreLayout.KeyspaceOf(documentKey.Span)].Policy;

    /// <summary>
    /// A document as it will be after what the batch has done so far; <see cref="Document.Nothing"/> if there is none. The batch keeps the key.
    /// </summary>
    public ValueTask<Document> ReadAsync(ReadOnlyMemory<byte> documentKey)
    {
        if (_documents.TryGetValue(new StorageKey(documentKey), out var change))
            return new(change.After);
        if (IsWiped)
            return new(Keep(documentKey, Document.Nothing));
        var reading = ReadStoredAsync(_snapshot, documentKey);
        return reading.IsCompletedSuccessfully ? new(Keep(documentKey, reading.Result)) : KeepAsync(documentKey, reading);
    }

    /// <summary>The same, of a document that is most likely not to be changed.</summary>
    public ValueTask<Document> PeekAsync(ReadOnlyMemory<byte> documentKey)
    {
        if (_documents.TryGetValue(new StorageKey(documentKey), out var change))
            return new(change.After);
        return IsWiped ? new(Document.Nothing) : ReadStoredAsync(_snapshot, documentKey);
    }

    /// <summary>Changes a document that was read in this batch; <see cref="Document.Nothing"/> removes it.</summary>
    public void Write(ReadOnlyMemory<byte> documentKey, Document document) =>
        CollectionsMarshal.GetValueRefOrNullRef(_documents, new StorageKey(documentKey)).After = document;

    /// <summary>Changes a document that was not read in this batch, and of which the caller knows what is stored.</summary>
    public void Write(ReadOnlyMemory<byte> documentKey, Document stored, Document document) =>
        _documents.Add(new StorageKey(documentKey), new BatchDocument { Before = stored, After = document });

    /// <summary>Reads documents that the batch is about to change, several with one call of the storage. The batch keeps the keys.</summary>
    public async ValueTask PrefetchAsync(IReadOnlyList<ReadOnlyMemory<byte>> documentKeys)
    {
        const int PageSize = 32;
        if (IsWiped)
            return;
        using var entries = new EntryPage();
        var sought = new List<ReadOnlyMemory<byte>>(PageSize);
        for (int next = 0; next < documentKeys.Count;)
        {
            sought.Clear();
            for (; next < documentKeys.Count && sought.Count < PageSize; next++)
            {
                if (!_documents.ContainsKey(new StorageKey(documentKeys[next])))
                    sought.Add(documentKeys[next]);
            }
            await _snapshot.GetManyAsync(sought, entries).ConfigureAwait(false);
            int entry = 0;
            foreach (var key in sought)
            {
                bool isStored = entry < entries.Count && entries.KeyOf(entry).SequenceEqual(key.Span);
                var stored = isStored ? ParseStored(key, entries.ValueOf(entry++)) : Document.Nothing;
                _documents.TryAdd(new StorageKey(key), new BatchDocument { Before = stored, After = stored });
            }
        }
    }

    /// <summary>Returns a document as it will be, or <see langword="null"/> if the batch has neither read nor changed it.</summary>
    public Document? FindRead(ReadOnlyMemory<byte> documentKey) =>
        _documents.TryGetValue(new StorageKey(documentKey), out var change) ? change.After : null;

    public async ValueTask MergeAsync(ReadOnlyMemory<byte> documentKey, Document delta) =>
        Write(documentKey, Document.Merge(await ReadAsync(documentKey).ConfigureAwait(false), delta));

    /// <summary>Merges a peer's copy of a document: what was purged here must not come back with one that is not purged yet.</summary>
    public async ValueTask MergeAsync(ReadOnlyMemory<byte> documentKey, Document copy, VersionVector truncated)
    {
        var merged = Document.Merge(await ReadAsync(documentKey).ConfigureAwait(false), copy);
        Write(documentKey, DocumentPurge.Apply(merged, truncated, PolicyOf(documentKey)));
    }

    /// <summary>Takes note that a document of another replica, an assertion perhaps, takes the place of one that was put earlier.</summary>
    public void NoteReplaced(ReadOnlyMemory<byte> documentKey, Document mine, Document others)
    {
        if (!ReferenceEquals(mine, Document.Nothing) && mine.Born < others.Born && Assertion.Find(others) is not null)
            _replaced.Add((documentKey, mine, others));
    }

    /// <summary>True if documents were noted of which others have taken the place.</summary>
    public bool HasReplaced => _replaced.Count > 0;

    /// <summary>Returns what was noted of documents of which others have taken the place, and forgets it.</summary>
    public IReadOnlyList<(ReadOnlyMemory<byte> Key, Document Mine, Document Others)> TakeReplaced()
    {
        (ReadOnlyMemory<byte>, Document, Document)[] replaced = [.. _replaced];
        _replaced.Clear();
        return replaced;
    }

    /// <summary>Adds a transaction to the log, from which something may become purgeable. It must not be there yet.</summary>
    public void AddLog(LogTransaction transaction) => _log.Add(HlcTimestamp.None, transaction.Stamp, transaction.DocumentKeys, mayPurge: true);

    /// <inheritdoc cref="BatchLog.Add"/>
    public void AddLog(HlcTimestamp previous, HlcTimestamp stamp, ReadOnlySpan<ReadOnlyMemory<byte>> documentKeys, bool mayPurge) =>
        _log.Add(previous, stamp, documentKeys, mayPurge);

    /// <summary>Removes a stored record of the log.</summary>
    public void RemoveLog(HlcTimestamp first) => _log.Remove(first);

    /// <inheritdoc cref="BatchLog.Truncate"/>
    public void TruncateAddedLog(VersionVector truncated) => _log.Truncate(truncated);

    /// <summary>Removes the truncated transactions of a stored record from the log. From what is left something may become purgeable.</summary>
    public void TruncateLog(LogRecord record, VersionVector truncated)
    {
        var left = Array.FindAll(record.Transactions, transaction => !truncated.Contains(transaction.Stamp));
        if (left.Length == record.Transactions.Length && record.MayPurge)
            return;
        RemoveLog(record.First);
        foreach (var transaction in left)
            AddLog(transaction);
    }

    /// <summary>Makes the log record of a transaction say that something may become purgeable by it.</summary>
    public async ValueTask SetMayPurgeAsync(HlcTimestamp stamp)
    {
        if (IsWiped || await TransactionLog.FindAsync(_snapshot, stamp).ConfigureAwait(false) is not var (first, stored))
        {
            _log.SetMayPurge(stamp);
            return;
        }
        if (LogRecord.SaysMayPurge(stored.Span))
            return;
        byte[] changed = stored.ToArray();
        LogRecord.SetMayPurge(changed);
        Extra.Put(StoreLayout.LogKey(first), changed);
    }

    /// <summary>What the batch changes of keyspaces.</summary>
    public IReadOnlyCollection<KeyspaceChange> KeyspaceChanges => _keyspaces.Values;

    public KeyspaceChange? FindChange(KeyspaceEntry keyspace) => _keyspaces.GetValueOrDefault(keyspace.Number);

    /// <summary>What the batch changes of a keyspace; it may then be changed further.</summary>
    public KeyspaceChange Change(KeyspaceEntry keyspace)
    {
        var change = FindChange(keyspace);
        if (change is null)
            _keyspaces.Add(keyspace.Number, change = new KeyspaceChange(keyspace));
        return change;
    }

    /// <summary>Further changes of the storage, outside documents, log and state; made before those.</summary>
    public WriteBatch Extra => _extra ??= new WriteBatch();

    /// <summary>Entries that documents of the snapshot have in indexes that are being built; the changes of documents come after these.</summary>
    public WriteBatch BuiltEntries => _builtEntries ??= new WriteBatch();

    /// <summary>Forgets what was done to documents so far, and what is stored of them, which the caller deletes.</summary>
    public void Wipe()
    {
        _documents.Clear();
        _log.Clear();
        _builtEntries = null;
        State = ReplicaState.Empty;
        IsWiped = true;
    }

    /// <summary>Makes the storage batch, once all is done. It is to be committed before the next batch begins.</summary>
    public WriteBatch Build(ReplicaIdentity identity)
    {
        var batch = _buffers.Operations;
        AddAll(batch, _extra);
        AddAll(batch, _builtEntries);
        foreach (var (key, change) in _documents)
        {
            if (!ReferenceEquals(change.Before, change.After) && !change.Before.Equals(change.After))
                AddDocument(batch, key.Bytes, change);
        }
        _log.WriteTo(batch, Memory);
        foreach (var keyspace in _catalog.Unstored)
            Change(keyspace);
        foreach (var change in _keyspaces.Values)
            change.Finish(batch, isStored: !_catalog.Unstored.Contains(change.Keyspace));
        if (!ReferenceEquals(State, _before))
            batch.Put(StoreLayout.StateKey, State.Encode());
        if (identity.IsDirty)
            batch.Put(StoreLayout.IdentityKey, identity.Encode());
        return batch;
    }

    public static ValueTask<Document> ReadStoredAsync(IStorageSnapshot snapshot, ReadOnlyMemory<byte> documentKey)
    {
        if (snapshot is CachedSnapshot cached)
            return cached.ReadAsync(documentKey);
        // Storage that is embedded answers at once, and what is put is mostly not there.
        var reading = snapshot.GetAsync(documentKey);
        return reading.IsCompletedSuccessfully ? new(Parse(documentKey, reading.Result)) : ParseAsync(documentKey, reading);

        static async ValueTask<Document> ParseAsync(ReadOnlyMemory<byte> documentKey, ValueTask<ReadOnlyMemory<byte>?> reading) =>
            Parse(documentKey, await reading.ConfigureAwait(false));

        static Document Parse(ReadOnlyMemory<byte> documentKey, ReadOnlyMemory<byte>? stored) =>
            stored is { } bytes ? ParseStored(documentKey, bytes) : Document.Nothing;
    }

    /// <inheritdoc cref="ParseStored(ReadOnlyMemory{byte}, ReadOnlySpan{byte})"/>
    public static Document ParseStored(ReadOnlyMemory<byte> documentKey, ReadOnlyMemory<byte> bytes) => ParseStored(documentKey, bytes.Span);

    /// <summary>Parses a copy of the bytes, for a document may outlive the snapshot and its memory.</summary>
    public static Document ParseStored(ReadOnlyMemory<byte> documentKey, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Document.Parse(bytes.ToArray());
        }
        catch (InvalidDataException e)
        {
            throw Damaged(documentKey.Span, e);
        }
    }

    /// <summary>The same, in place.</summary>
    public static DocumentView ViewStored(ReadOnlySpan<byte> documentKey, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return DocumentView.Parse(bytes);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(documentKey, e);
        }
    }

    static StorageException Damaged(ReadOnlySpan<byte> documentKey, InvalidDataException e)
    {
        var key = new DocumentKey(documentKey[StoreLayout.DocumentPrefixLength..].ToArray());
        return new StorageException(StorageError.Corrupt,
            $"The stored document {key} is damaged: {e.Message} Remove the store's file and start the node again: it takes the data from its peers.", e);
    }

    async ValueTask<Document> KeepAsync(ReadOnlyMemory<byte> documentKey, ValueTask<Document> reading) =>
        Keep(documentKey, await reading.ConfigureAwait(false));

    Document Keep(ReadOnlyMemory<byte> documentKey, Document stored)
    {
        _documents.Add(new StorageKey(documentKey), new BatchDocument { Before = stored, After = stored });
        return stored;
    }

    static void AddAll(WriteBatch batch, WriteBatch? part)
    {
        if (part is null)
            return;
        foreach (var operation in part.Operations)
        {
            if (operation.Value is { } value)
                batch.Put(operation.Key, value);
            else
                batch.Delete(operation.Key);
        }
    }

    void AddDocument(WriteBatch batch, ReadOnlyMemory<byte> storageKey, BatchDocument change)
    {
        if (ReferenceEquals(change.After, Document.Nothing))
            batch.Delete(storageKey);
        else
            batch.Put(storageKey, change.After.Encoded);
        Change(_catalog[StoreLayout.KeyspaceOf(storageKey.Span)])
            .Add(batch, Memory, storageKey.Span[StoreLayout.DocumentPrefixLength..], change.Before, change.After);
    }
}
