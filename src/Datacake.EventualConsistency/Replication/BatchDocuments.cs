using System.Runtime.InteropServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The documents that a batch has read or changed, by storage key: before the batch and after it. The memory of the keys belongs to the
/// batch. Not thread-safe.
/// </summary>
sealed class BatchDocuments
{
    readonly Dictionary<StorageKey, BatchDocument> _documents = [];
    readonly HashSet<ushort> _changed = [];     // the keyspaces of changed documents
    ushort _lastChanged;                        // one of them; 0 if there are none

    /// <summary>
    /// Gets whether a read has waited for the storage, which then is reached over a network: there, reading many documents at once takes as long as reading one.
    /// </summary>
    public bool ReadsWait { get; set; }

    /// <summary>Gets the number of documents.</summary>
    public int Count => _documents.Count;

    /// <summary>Gets the documents that the batch has read or changed: before the batch and after it.</summary>
    public IEnumerable<(ReadOnlyMemory<byte> Key, Document Before, Document After)> All =>
        _documents.Select(document => (document.Key.Bytes, document.Value.Before, document.Value.After));

    public Dictionary<StorageKey, BatchDocument>.Enumerator GetEnumerator() => _documents.GetEnumerator();

    /// <summary>
    /// Returns a document with the batch's changes so far; <see cref="Document.Nothing"/> if there is none. The batch keeps the key.
    /// </summary>
    public ValueTask<Document> ReadAsync(IStorageSnapshot? stored, ReadOnlyMemory<byte> key)
    {
        if (_documents.TryGetValue(new StorageKey(key), out var change))
            return new(change.After);
        if (stored is null)
            return new(Keep(key, Document.Nothing));
        var reading = DocumentRecord.ReadAsync(stored, key);
        return reading.IsCompletedSuccessfully ? new(Keep(key, reading.Result)) : KeepAsync(key, reading);
    }

    /// <summary>
    /// Returns a document as <see cref="ReadAsync"/> does, without keeping it in the batch: for a document that is unlikely to be changed.
    /// </summary>
    public ValueTask<Document> PeekAsync(IStorageSnapshot? stored, ReadOnlyMemory<byte> key)
    {
        if (_documents.TryGetValue(new StorageKey(key), out var change))
            return new(change.After);
        return stored is null ? new(Document.Nothing) : DocumentRecord.ReadAsync(stored, key);
    }

    /// <summary>
    /// Reads documents that the batch is about to change, several with each call to the storage. The batch keeps the keys.
    /// </summary>
    public async ValueTask PrefetchAsync(IStorageSnapshot? stored, IReadOnlyList<ReadOnlyMemory<byte>> keys)
    {
        const int PageSize = 32, RemotePageSize = 1024;
        if (stored is null)
            return;
        int pageSize = ReadsWait ? RemotePageSize : PageSize;
        using var entries = new EntryPage();
        var sought = new List<ReadOnlyMemory<byte>>(Math.Min(pageSize, keys.Count));
        for (int next = 0; next < keys.Count;)
        {
            sought.Clear();
            for (; next < keys.Count && sought.Count < pageSize; next++)
            {
                if (!_documents.ContainsKey(new StorageKey(keys[next])))
                    sought.Add(keys[next]);
            }
            await stored.GetManyAsync(sought, entries).ConfigureAwait(false);
            int entry = 0;
            foreach (var key in sought)
            {
                bool isStored = entry < entries.Count && entries.KeyOf(entry).SequenceEqual(key.Span);
                var document = isStored ? DocumentRecord.Parse(key, entries.ValueOf(entry++)) : Document.Nothing;
                _documents.TryAdd(new StorageKey(key), new BatchDocument { Before = document, After = document });
            }
        }
    }

    /// <summary>
    /// Returns a document with the batch's changes, or <see langword="null"/> if the batch has neither read nor changed it.
    /// </summary>
    public Document? Find(ReadOnlyMemory<byte> key) => _documents.TryGetValue(new StorageKey(key), out var change) ? change.After : null;

    /// <summary>Changes a document that was read in this batch. <see cref="Document.Nothing"/> removes it.</summary>
    public void Write(ReadOnlyMemory<byte> key, Document document)
    {
        CollectionsMarshal.GetValueRefOrNullRef(_documents, new StorageKey(key)).After = document;
        NoteChanged(key);
    }

    /// <summary>Changes a document that was not read in this batch, and whose stored version the caller provides.</summary>
    public void Add(ReadOnlyMemory<byte> key, Document stored, Document document)
    {
        _documents.Add(new StorageKey(key), new BatchDocument { Before = stored, After = document });
        NoteChanged(key);
    }

    /// <summary>Returns true if the batch has changed, or may have changed, documents of a keyspace.</summary>
    public bool HasChanged(ushort keyspace) => _changed.Contains(keyspace);

    /// <summary>Discards all documents.</summary>
    public void Clear()
    {
        _documents.Clear();
        _changed.Clear();
        _lastChanged = 0;
    }

    async ValueTask<Document> KeepAsync(ReadOnlyMemory<byte> key, ValueTask<Document> reading)
    {
        ReadsWait = true;
        return Keep(key, await reading.ConfigureAwait(false));
    }

    Document Keep(ReadOnlyMemory<byte> key, Document stored)
    {
        _documents.Add(new StorageKey(key), new BatchDocument { Before = stored, After = stored });
        return stored;
    }

    void NoteChanged(ReadOnlyMemory<byte> key)
    {
        // Most documents of a batch are in one keyspace.
        ushort keyspace = StoreLayout.KeyspaceOf(key.Span);
        if (keyspace == _lastChanged)
            return;
        _changed.Add(keyspace);
        _lastChanged = keyspace;
    }
}

/// <summary>A document before and after a batch.</summary>
struct BatchDocument
{
    public Document Before;
    public Document After;
}
