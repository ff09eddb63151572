using Datacake.Crdt;
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
    readonly BatchDocuments _documents;
    readonly BatchLog _log;
    readonly List<ReplacedDocument> _replaced = [];
    readonly Dictionary<ushort, KeyspaceChange> _keyspaces;
    List<KeyspaceEntry>? _removed;
    WriteBatch? _extra;
    WriteBatch? _builtEntries;
    ReplicaState _state;
    long _growth;                       // of the documents, and of what is stored beside them, in bytes; once it is built

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

    /// <summary>Gets what the replica knew before this batch.</summary>
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

    /// <inheritdoc cref="BatchDocuments.All"/>
    public IEnumerable<(ReadOnlyMemory<byte> Key, Document Before, Document After)> Documents => _documents.All;

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
        NoteNamed(keyspace);
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

    /// <inheritdoc cref="BatchDocuments.ReadAsync"/>
    public ValueTask<Document> ReadAsync(ReadOnlyMemory<byte> documentKey) => _documents.ReadAsync(Stored, documentKey);

    /// <inheritdoc cref="BatchDocuments.PeekAsync"/>
    public ValueTask<Document> PeekAsync(ReadOnlyMemory<byte> documentKey) => _documents.PeekAsync(Stored, documentKey);

    /// <inheritdoc cref="BatchDocuments.PrefetchAsync"/>
    public ValueTask PrefetchAsync(IReadOnlyList<ReadOnlyMemory<byte>> documentKeys) => _documents.PrefetchAsync(Stored, documentKeys);

    /// <inheritdoc cref="BatchDocuments.Find"/>
    public Document? FindRead(ReadOnlyMemory<byte> documentKey) => _documents.Find(documentKey);

    /// <inheritdoc cref="BatchDocuments.Write"/>
    public void Write(ReadOnlyMemory<byte> documentKey, Document document) => _documents.Write(documentKey, document);

    /// <inheritdoc cref="BatchDocuments.Add"/>
    public void Write(ReadOnlyMemory<byte> documentKey, Document stored, Document document) => _documents.Add(documentKey, stored, document);

    public async ValueTask MergeAsync(ReadOnlyMemory<byte> documentKey, Document delta) =>
        Write(documentKey, Document.Merge(await ReadAsync(documentKey).ConfigureAwait(false), delta));

    /// <summary>Merges a peer's copy of a document: what was purged here must not come back with one that is not purged yet.</summary>
    public async ValueTask MergeAsync(ReadOnlyMemory<byte> documentKey, Document copy, VersionVector truncated)
    {
        var merged = Document.Merge(await ReadAsync(documentKey).ConfigureAwait(false), copy);
        Write(documentKey, DocumentPurge.Apply(merged, truncated, PolicyOf(documentKey)));
    }

    /// <summary>
    /// Takes note that a document of another replica, an assertion perhaps, takes the place of one that was put earlier; before what has come with it is claimed.
    /// </summary>
    public void NoteReplaced(ReadOnlyMemory<byte> documentKey, Document mine, Document others)
    {
        if (!ReferenceEquals(mine, Document.Nothing) && mine.Born < others.Born && Assertion.Find(others) is not null)
            _replaced.Add(new ReplacedDocument(documentKey, mine, others, State.Known));
    }

    /// <summary>True if documents were noted of which others have taken the place.</summary>
    public bool HasReplaced => _replaced.Count > 0;

    /// <summary>Returns what was noted of documents of which others have taken the place, and forgets it.</summary>
    public IReadOnlyList<ReplacedDocument> TakeReplaced()
    {
        ReplacedDocument[] replaced = [.. _replaced];
        _replaced.Clear();
        return replaced;
    }

    /// <summary>Adds a transaction to the log, from which something may become purgeable. It must not be there yet.</summary>
    public void AddLog(LogTransaction transaction) => _log.Add(HlcTimestamp.None, transaction.Stamp, transaction.DocumentKeys, mayPurge: true);

    /// <inheritdoc cref="BatchLog.Add"/>
    public void AddLog(HlcTimestamp previous, HlcTimestamp stamp, ReadOnlySpan<ReadOnlyMemory<byte>> documentKeys, bool mayPurge) =>
        _log.Add(previous, stamp, documentKeys, mayPurge);

    /// <summary>Gets the stamps of the transactions that the batch adds to the log.</summary>
    public IEnumerable<HlcTimestamp> AddedLog => _log.Stamps;

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

    /// <summary>Returns true if the batch has named a document of a keyspace.</summary>
    public bool Names(KeyspaceEntry keyspace) => keyspace.LastBatch == _buffers.Batch;

    /// <summary>Takes note of a keyspace that the batch uses, so that it is not removed.</summary>
    public void NoteNamed(KeyspaceEntry keyspace) => keyspace.LastBatch = _buffers.Batch;

    /// <summary>Removes a keyspace that has nothing left, unless something that still comes into the batch names it.</summary>
    public void Remove(KeyspaceEntry keyspace) => (_removed ??= []).Add(keyspace);

    /// <summary>Further changes of the storage, outside documents, log and state; made before those.</summary>
    public WriteBatch Extra => _extra ??= new WriteBatch();

    /// <summary>Entries that documents of the snapshot have in indexes that are being built; the changes of documents come after these.</summary>
    public WriteBatch BuiltEntries => _builtEntries ??= new WriteBatch();

    /// <summary>Gets or sets whether the state is stored also if it is as before.</summary>
    public bool MustWriteState { get; set; }

    /// <summary>Puts a document in the place of one that cannot be read. What the keyspace counts stays as it is.</summary>
    public void Mend(ReadOnlyMemory<byte> documentKey, Document document)
    {
        if (ReferenceEquals(document, Document.Nothing))
            Extra.Delete(documentKey);
        else
            Extra.Put(documentKey, document.Encoded);
        _documents.Add(documentKey, document, document);
    }

    /// <summary>Forgets what was done to documents so far, and what is stored of them, which the caller deletes.</summary>
    public void Wipe()
    {
        _documents.Clear();
        _log.Clear();
        _builtEntries = null;
        State = ReplicaState.Empty;
        IsWiped = true;
    }

    /// <summary>
    /// Makes the storage batch, once all is done. It is to be committed before the next batch begins. One that leaves the documents shorter than they were makes
    /// room, and may use what the storage keeps in reserve for that.
    /// </summary>
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
        foreach (var keyspace in _removed ?? [])
        {
            if (!Names(keyspace) && Change(keyspace) is var change)
                change.State = change.State with { Record = change.State.Record with { IsRemoved = true } };
        }
        foreach (var change in _keyspaces.Values)
            change.Finish(batch, isStored: !_catalog.Unstored.Contains(change.Keyspace));
        if (MustWriteState || !ReferenceEquals(State, _before))
            batch.Put(StoreLayout.StateKey, State.Encode());
        if (identity.IsDirty)
            batch.Put(StoreLayout.IdentityKey, identity.Encode());
        batch.MayUseReserve = _growth < 0;
        return batch;
    }

    /// <summary>Gets the snapshot under the batch, or null if the batch removes everything stored.</summary>
    IStorageSnapshot? Stored => IsWiped ? null : _snapshot;

    void AddAll(WriteBatch batch, WriteBatch? part)
    {
        if (part is null)
            return;
        foreach (var operation in part.Operations)
        {
            if (operation.Value is { } value)
            {
                batch.Put(operation.Key, value);
                _growth += value.Length;
            }
            else
            {
                batch.Delete(operation.Key);
            }
        }
    }

    void AddDocument(WriteBatch batch, ReadOnlyMemory<byte> storageKey, BatchDocument change)
    {
        _growth += change.After.Encoded.Length - change.Before.Encoded.Length;
        if (ReferenceEquals(change.After, Document.Nothing))
            batch.Delete(storageKey);
        else
            batch.Put(storageKey, change.After.Encoded);
        Change(_catalog[StoreLayout.KeyspaceOf(storageKey.Span)])
            .Add(batch, Memory, storageKey.Span[StoreLayout.DocumentPrefixLength..], change.Before, change.After);
    }
}
