using System.Runtime.InteropServices;
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
    /// <summary>Room for the records of keyspaces, of the state and of the identity: mostly enough.</summary>
    const int RecordsBesides = 16;

    readonly IStorageSnapshot _snapshot;
    readonly KeyspaceCatalog _catalog;
    readonly ReplicaState _before;
    readonly Dictionary<StorageKey, DocumentChange> _documents = [];
    readonly Dictionary<HlcTimestamp, LogRecord?> _log = [];
    readonly Dictionary<ushort, KeyspaceChange> _keyspaces = [];
    ReplicaState _state;

    // The claim that was made last and is not in _state yet: those of one origin mostly continue each other, so most need no new vector.
    byte _claimNode;
    StampInterval _claim;

    struct DocumentChange
    {
        public Document Before;
        public Document After;
    }

    public ReplicaBatch(IStorageSnapshot snapshot, KeyspaceCatalog catalog, ReplicaState state)
    {
        _snapshot = snapshot;
        _catalog = catalog;
        _before = _state = state;
    }

    /// <summary>What the replica knows once this batch is committed.</summary>
    public ReplicaState State
    {
        get
        {
            if (_claim != default)
            {
                _state = _state with { Known = _state.Known.Union(VersionVector.Of(_claimNode, _claim.Low, _claim.High)) };
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

    /// <summary>What is truncated once this batch is committed. Claims do not change it, so that asking costs nothing.</summary>
    public VersionVector Truncated => _state.Truncated;

    public IStorageSnapshot Snapshot => _snapshot;

    /// <summary>What to send once the batch is committed.</summary>
    public List<Outgoing> Outbox { get; } = [];

    /// <summary>The local transactions of the batch, for every peer with whom a session is open.</summary>
    public List<Mutation> Mutations { get; } = [];

    /// <summary>Whether the batch has something that was pulled, so that it is worth telling the peers at once.</summary>
    public bool HasPulled { get; set; }

    /// <summary>Whether the batch removes all documents that are stored, before it adds its own.</summary>
    public bool IsWiped { get; private set; }

    /// <summary>Whether the batch reconciles the snapshot that lay aside.</summary>
    public bool IsReconciled { get; set; }

    /// <summary>The stamp of the last local transaction, or none if the batch has none.</summary>
    public HlcTimestamp LastWritten { get; set; }

    /// <summary>The documents that the batch has read or changed, by their storage keys: as they were, and as they are after it.</summary>
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

    /// <summary>A document as it will be after what the batch has done so far; <see cref="Document.Nothing"/> if there is none.</summary>
    public async ValueTask<Document> ReadAsync(ReadOnlyMemory<byte> documentKey)
    {
        if (_documents.TryGetValue(new StorageKey(documentKey), out var change))
            return change.After;
        var stored = IsWiped ? Document.Nothing : await ReadStoredAsync(_snapshot, documentKey).ConfigureAwait(false);
        _documents.Add(new StorageKey(documentKey), new DocumentChange { Before = stored, After = stored });
        return stored;
    }

    /// <summary>The same, of a document that is most likely not to be changed.</summary>
    public async ValueTask<Document> PeekAsync(ReadOnlyMemory<byte> documentKey)
    {
        if (_documents.TryGetValue(new StorageKey(documentKey), out var change))
            return change.After;
        return IsWiped ? Document.Nothing : await ReadStoredAsync(_snapshot, documentKey).ConfigureAwait(false);
    }

    /// <summary>Changes a document that was read in this batch; <see cref="Document.Nothing"/> removes it.</summary>
    public void Write(ReadOnlyMemory<byte> documentKey, Document document) =>
        CollectionsMarshal.GetValueRefOrNullRef(_documents, new StorageKey(documentKey)).After = document;

    /// <summary>Changes a document that was not read in this batch, and of which the caller knows what is stored.</summary>
    public void Write(ReadOnlyMemory<byte> documentKey, Document stored, Document document) =>
        _documents.Add(new StorageKey(documentKey), new DocumentChange { Before = stored, After = document });

    public async ValueTask MergeAsync(ReadOnlyMemory<byte> documentKey, Document delta) =>
        Write(documentKey, Document.Merge(await ReadAsync(documentKey).ConfigureAwait(false), delta));

    public void AddLog(LogRecord record) => _log[record.Stamp] = record;

    public void RemoveLog(HlcTimestamp stamp) => _log[stamp] = null;

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
    public WriteBatch Extra { get; } = new();

    /// <summary>Entries that documents of the snapshot have in indexes that are being built; the changes of documents come after these.</summary>
    public WriteBatch BuiltEntries { get; private set; } = new();

    /// <summary>Forgets what was done to documents so far, and what is stored of them, which the caller deletes.</summary>
    public void Wipe()
    {
        _documents.Clear();
        _log.Clear();
        BuiltEntries = new WriteBatch();
        State = ReplicaState.Empty;
        IsWiped = true;
    }

    /// <summary>Makes the storage batch, once all is done.</summary>
    public WriteBatch Build(ReplicaIdentity identity)
    {
        var batch = new WriteBatch(_documents.Count + _log.Count + Extra.Count + BuiltEntries.Count + RecordsBesides);
        AddAll(batch, Extra);
        AddAll(batch, BuiltEntries);
        foreach (var (key, change) in _documents)
        {
            if (!ReferenceEquals(change.Before, change.After) && !change.Before.Equals(change.After))
                AddDocument(batch, key.Bytes, change);
        }
        foreach (var (stamp, record) in _log)
        {
            if (record is { } added)
                batch.Put(StoreLayout.LogKey(stamp), added.Encode());
            else
                batch.Delete(StoreLayout.LogKey(stamp));
        }
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

    public static async ValueTask<Document> ReadStoredAsync(IStorageSnapshot snapshot, ReadOnlyMemory<byte> documentKey)
    {
        // A copy, for a document may outlive the snapshot and its memory.
        var stored = await snapshot.GetAsync(documentKey).ConfigureAwait(false);
        return stored is { } bytes ? ParseStored(documentKey, bytes) : Document.Nothing;
    }

    public static Document ParseStored(ReadOnlyMemory<byte> documentKey, ReadOnlyMemory<byte> bytes)
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

    static void AddAll(WriteBatch batch, WriteBatch part)
    {
        foreach (var operation in part.Operations)
        {
            if (operation.Value is { } value)
                batch.Put(operation.Key, value);
            else
                batch.Delete(operation.Key);
        }
    }

    void AddDocument(WriteBatch batch, ReadOnlyMemory<byte> storageKey, DocumentChange change)
    {
        if (ReferenceEquals(change.After, Document.Nothing))
            batch.Delete(storageKey);
        else
            batch.Put(storageKey, change.After.Encoded);
        Change(_catalog[StoreLayout.KeyspaceOf(storageKey.Span)])
            .Add(batch, storageKey.Span[StoreLayout.DocumentPrefixLength..], change.Before, change.After);
    }
}
