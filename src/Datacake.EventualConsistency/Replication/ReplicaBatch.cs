using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The changes of one storage commit: documents, log, state and identity, and the index entries that follow from the documents. Reads
/// through the batch see its own changes on top of a snapshot. Nothing takes effect before the commit has succeeded. Not thread-safe.
/// </summary>
/// <remarks>See PROTOCOL.md: claim.</remarks>
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
    HashSet<HlcTimestamp>? _mayPurge;                      // the stored log records that the batch marks, by their first stamps
    WriteBatch? _extra;
    WriteBatch? _builtEntries;
    ReplicaState _state;
    long _growth;                       // by how many bytes Build() makes the stored data grow

    // The latest claim, if it is not in _state yet. Consecutive claims usually continue each other for one node, so most of them need no
    // new vector.
    byte _claimNode;
    StampInterval _claim;

    /// <summary>Begins a batch in buffers that no other batch uses any longer.</summary>
    /// <param name="snapshot">The snapshot of everything committed so far.</param>
    /// <param name="catalog">The keyspaces.</param>
    /// <param name="state">The replica's state before the batch.</param>
    /// <param name="buffers">The buffers.</param>
    /// <param name="now">The instant of the wall clock.</param>
    public ReplicaBatch(IStorageSnapshot snapshot, KeyspaceCatalog catalog, ReplicaState state, BatchBuffers buffers, HlcTimestamp now)
    {
        Now = now;
        buffers.Reset();
        _snapshot = snapshot;
        _catalog = catalog;
        _before = _state = state;
        _buffers = buffers;
        _documents = buffers.Documents;
        _log = buffers.Log;
        _keyspaces = buffers.Keyspaces;
    }

    /// <summary>Gets or sets the replica's state after the commit of this batch.</summary>
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

    /// <summary>Gets the instant of the wall clock at which the batch began: documents that have expired by then are not there for writers.</summary>
    public HlcTimestamp Now { get; }

    /// <summary>Gets the replica's state before this batch.</summary>
    public ReplicaState Before => _before;

    /// <summary>
    /// Gets the truncated stamps after the commit of this batch. Cheaper to read than <see cref="State"/>, because claims do not change
    /// them.
    /// </summary>
    public VersionVector Truncated => _state.Truncated;

    public IStorageSnapshot Snapshot => _snapshot;

    /// <summary>Gets the memory for small keys and records, which is valid until the commit.</summary>
    public BatchMemory Memory => _buffers.Memory;

    /// <summary>Gets the messages to send once the batch is committed.</summary>
    public List<Outgoing> Outbox { get; } = [];

    /// <summary>
    /// Gets the messages that are sent before the batch is committed, so that the peers flush while this store does. They must claim nothing that only the
    /// batch makes true.
    /// </summary>
    public List<Outgoing> EarlyOutbox { get; } = [];

    /// <summary>Gets the local transactions of the batch, which are sent to every peer in session.</summary>
    public List<Mutation> Mutations { get; } = [];

    /// <summary>Gets the stamps of those local transactions that rewrite what an assertion of another replica has superseded.</summary>
    public List<HlcTimestamp> WrittenAgain { get; } = [];

    /// <summary>True if the batch contains pulled data, which is reported to the peers at once.</summary>
    public bool HasPulled { get; set; }

    /// <summary>True if the batch removes all stored documents before it adds its own.</summary>
    public bool IsWiped { get; private set; }

    /// <summary>True if the batch finishes the reconcile of the snapshot that was set aside.</summary>
    public bool IsReconciled { get; set; }

    /// <summary>Gets or sets the stamp of the last local transaction of the batch, or none.</summary>
    public HlcTimestamp LastWritten { get; set; }

    /// <inheritdoc cref="BatchDocuments.All"/>
    public IEnumerable<(ReadOnlyMemory<byte> Key, Document Before, Document After)> Documents => _documents.All;

    public bool Knows(HlcTimestamp stamp) =>
        (stamp.Node == _claimNode && _claim.Contains(stamp)) || _state.Known.Contains(stamp);

    /// <summary>Marks the stamps of a node in (<paramref name="low"/>, <paramref name="high"/>] as known.</summary>
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

    /// <summary>Marks runs as known.</summary>
    public void Note(NodeRuns runs)
    {
        var union = _state.Runs.Union(runs);
        if (!ReferenceEquals(union, _state.Runs))
            State = State with { Runs = union };
    }

    /// <summary>Marks a run of a node as known.</summary>
    public void Note(byte node, HlcTimestamp run)
    {
        if (run > _state.Runs[node])
            State = State with { Runs = _state.Runs.With(node, run) };
    }

    /// <summary>Returns the storage key of a document, in the batch's memory.</summary>
    public ReadOnlyMemory<byte> KeyOf(KeyspaceEntry keyspace, DocumentKey key)
    {
        NoteNamed(keyspace);
        var storageKey = _buffers.Memory.Take(StoreLayout.DocumentPrefixLength + key.Encoded.Length);
        StoreLayout.WriteDocumentKey(storageKey.Span, keyspace.Number, key.Encoded.Span);
        return storageKey;
    }

    /// <summary>Returns a keyspace, or null if there is none with the name.</summary>
    public KeyspaceEntry? FindKeyspace(string name) => _catalog.Find(name);

    /// <summary>Returns a keyspace, or adds it with a policy.</summary>
    public KeyspaceEntry FindOrAddKeyspace(string name, MergePolicy policy) => _catalog.FindOrAdd(name, policy);

    /// <summary>Returns the storage key, in the batch's memory, of a document that another node names.</summary>
    public ReadOnlyMemory<byte> KeyOf(DocumentName name) => KeyOf(_catalog.FindOrAdd(name.Keyspace, name.Policy), new DocumentKey(name.Key));

    /// <summary>Returns the name of a document, for other nodes. The name is valid as long as the key is.</summary>
    public DocumentName NameOf(ReadOnlyMemory<byte> documentKey)
    {
        var keyspace = _catalog[StoreLayout.KeyspaceOf(documentKey.Span)];
        return new DocumentName(keyspace.Name, keyspace.Policy, documentKey[StoreLayout.DocumentPrefixLength..]);
    }

    /// <summary>Returns the merge policy of a document's keyspace.</summary>
    public MergePolicy PolicyOf(ReadOnlyMemory<byte> documentKey) => _catalog[StoreLayout.KeyspaceOf(documentKey.Span)].Policy;

    /// <inheritdoc cref="BatchDocuments.ReadAsync"/>
    public ValueTask<Document> ReadAsync(ReadOnlyMemory<byte> documentKey) => _documents.ReadAsync(Stored, documentKey);

    /// <inheritdoc cref="BatchDocuments.PeekAsync"/>
    public ValueTask<Document> PeekAsync(ReadOnlyMemory<byte> documentKey) => _documents.PeekAsync(Stored, documentKey);

    /// <inheritdoc cref="BatchDocuments.ReadsWait"/>
    public bool ReadsWait => _documents.ReadsWait;

    /// <inheritdoc cref="BatchDocuments.PrefetchAsync"/>
    public ValueTask PrefetchAsync(IReadOnlyList<ReadOnlyMemory<byte>> documentKeys) => _documents.PrefetchAsync(Stored, documentKeys);

    /// <inheritdoc cref="BatchDocuments.Find"/>
    public Document? FindRead(ReadOnlyMemory<byte> documentKey) => _documents.Find(documentKey);

    /// <summary>Returns true if the batch has changed, or may have changed, documents of a keyspace.</summary>
    public bool HasChanged(KeyspaceEntry keyspace) => _documents.HasChanged(keyspace.Number);

    /// <inheritdoc cref="BatchDocuments.Write"/>
    public void Write(ReadOnlyMemory<byte> documentKey, Document document) => _documents.Write(documentKey, document);

    /// <inheritdoc cref="BatchDocuments.Add"/>
    public void Write(ReadOnlyMemory<byte> documentKey, Document stored, Document document) => _documents.Add(documentKey, stored, document);

    public async ValueTask MergeAsync(ReadOnlyMemory<byte> documentKey, Document delta) =>
        Write(documentKey, Document.Merge(await ReadAsync(documentKey).ConfigureAwait(false), delta));

    /// <summary>Merges a peer's copy of a document, and purges it: the peer may not have purged yet what was already purged here.</summary>
    public async ValueTask MergeAsync(ReadOnlyMemory<byte> documentKey, Document copy, VersionVector truncated)
    {
        var current = await ReadAsync(documentKey).ConfigureAwait(false);
        var whole = Document.Merge(current, copy);
        var merged = DocumentPurge.Apply(whole, truncated, PolicyOf(documentKey));
        Write(documentKey, merged);
        // What is purged here for the first time leaves its mark, as any purge does [R11].
        if (whole.IsLapsed && ReferenceEquals(merged, Document.Nothing))
            State = State with { Purged = HlcTimestamp.Max(State.Purged, DocumentPurge.MarkOf(whole)) };
        // The peer has found that the put has expired. Its transaction may be in the log as one by which nothing becomes purgeable [R20].
        if (merged.IsLapsed && !current.IsLapsed)
            await SetMayPurgeAsync(DocumentPurge.OneNotIn(truncated, merged)).ConfigureAwait(false);
    }

    /// <summary>
    /// Records a document that is about to be replaced by one of another replica, if that one is an assertion. Must be called before the
    /// stamps that came with the assertion are claimed.
    /// </summary>
    public void NoteReplaced(ReadOnlyMemory<byte> documentKey, Document mine, Document others)
    {
        if (!ReferenceEquals(mine, Document.Nothing) && mine.Born < others.Born && Assertion.Find(others) is not null)
            _replaced.Add(new ReplacedDocument(documentKey, mine, others, State.Known));
    }

    /// <summary>True if the batch has recorded replaced documents.</summary>
    public bool HasReplaced => _replaced.Count > 0;

    /// <summary>Returns the recorded replaced documents, and clears the record of them.</summary>
    public IReadOnlyList<ReplacedDocument> TakeReplaced()
    {
        ReplacedDocument[] replaced = [.. _replaced];
        _replaced.Clear();
        return replaced;
    }

    /// <summary>
    /// Adds a transaction to the log, and notes that something may become purgeable by its truncation. The log must not contain it yet.
    /// </summary>
    public void AddLog(LogTransaction transaction) => _log.Add(HlcTimestamp.None, transaction.Stamp, transaction.DocumentKeys, mayPurge: true);

    /// <inheritdoc cref="BatchLog.Add"/>
    public void AddLog(HlcTimestamp previous, HlcTimestamp stamp, ReadOnlySpan<ReadOnlyMemory<byte>> documentKeys, bool mayPurge) =>
        _log.Add(previous, stamp, documentKeys, mayPurge);

    /// <summary>Gets the stamps of the transactions that the batch adds to the log.</summary>
    public IEnumerable<HlcTimestamp> AddedLog => _log.Stamps;

    /// <summary>Removes a stored log record.</summary>
    public void RemoveLog(HlcTimestamp first) => _log.Remove(first);

    /// <inheritdoc cref="BatchLog.Truncate"/>
    public void TruncateAddedLog(VersionVector truncated) => _log.Truncate(truncated);

    /// <summary>
    /// Removes the truncated transactions of a stored record from the log, and marks the rest as transactions by which something may become
    /// purgeable.
    /// </summary>
    public void TruncateLog(LogRecord record, VersionVector truncated)
    {
        var left = Array.FindAll(record.Transactions, transaction => !truncated.Contains(transaction.Stamp));
        if (left.Length == record.Transactions.Length && record.MayPurge)
            return;
        RemoveLog(record.First);
        foreach (var transaction in left)
            AddLog(transaction);
    }

    /// <summary>Marks a logged transaction as one by which something may become purgeable.</summary>
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
        (_mayPurge ??= []).Add(first);
    }

    /// <summary>Returns true if this batch marks a stored log record, which the snapshot does not show.</summary>
    public bool MarksMayPurge(HlcTimestamp first) => _mayPurge?.Contains(first) == true;

    /// <summary>Gets the changes that the batch makes to keyspaces.</summary>
    public IReadOnlyCollection<KeyspaceChange> KeyspaceChanges => _keyspaces.Values;

    public KeyspaceChange? FindChange(KeyspaceEntry keyspace) => _keyspaces.GetValueOrDefault(keyspace.Number);

    /// <summary>Returns the change that the batch makes to a keyspace, which the caller may extend.</summary>
    public KeyspaceChange Change(KeyspaceEntry keyspace)
    {
        var change = FindChange(keyspace);
        if (change is null)
            _keyspaces.Add(keyspace.Number, change = new KeyspaceChange(keyspace));
        return change;
    }

    /// <summary>Returns true if the batch has named a document of a keyspace.</summary>
    public bool Names(KeyspaceEntry keyspace) => keyspace.LastBatch == _buffers.Batch;

    /// <summary>Marks a keyspace as used by the batch, so that it is not removed.</summary>
    public void NoteNamed(KeyspaceEntry keyspace) => keyspace.LastBatch = _buffers.Batch;

    /// <summary>Removes an empty keyspace, unless a document of it is still added to the batch.</summary>
    public void Remove(KeyspaceEntry keyspace) => (_removed ??= []).Add(keyspace);

    /// <summary>Gets further changes of the storage, apart from documents, log and state. They are applied before those.</summary>
    public WriteBatch Extra => _extra ??= new WriteBatch();

    /// <summary>
    /// Gets the index entries of snapshot documents for indexes that are being built. Changes of documents are applied after these.
    /// </summary>
    public WriteBatch BuiltEntries => _builtEntries ??= new WriteBatch();

    /// <summary>Gets or sets whether the commit must be flushed regardless of the store's durability.</summary>
    public bool MustFlush { get; set; }

    /// <summary>Gets or sets whether the state is stored even if it is unchanged.</summary>
    public bool MustWriteState { get; set; }

    /// <summary>Replaces a document that cannot be read. The count and the fingerprint of the keyspace are not adjusted.</summary>
    public void Repair(ReadOnlyMemory<byte> documentKey, Document document)
    {
        if (ReferenceEquals(document, Document.Nothing))
            Extra.Delete(documentKey);
        else
            Extra.Put(documentKey, document.Encoded);
        _documents.Add(documentKey, document, document);
    }

    /// <summary>
    /// Discards all changes of documents and the log so far, and treats the stored documents as deleted. The caller deletes them.
    /// </summary>
    public void Wipe()
    {
        _documents.Clear();
        _log.Clear();
        _builtEntries = null;
        State = ReplicaState.Empty;
        IsWiped = true;
    }

    /// <summary>
    /// Builds the storage batch when all changes are made. It must be committed before the next batch begins. A batch that makes the stored
    /// data shorter frees space, and may therefore use the storage's reserve.
    /// </summary>
    public WriteBatch Build(ReplicaIdentity identity)
    {
        var batch = _buffers.Operations;
        AddAll(batch, _extra);
        AddAll(batch, _builtEntries);
        KeyspaceDeclarer.DeclareExpiry(this, _catalog, _documents.All);
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
        StoreLayout.Check(batch);
        return batch;
    }

    /// <summary>Gets the snapshot under the batch, or null if the batch removes everything that is stored.</summary>
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
