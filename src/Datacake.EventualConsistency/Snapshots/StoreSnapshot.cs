using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Snapshots;

/// <summary>
/// A consistent view of a replica's documents and indexes that later commits do not change. Documents that it returns stay valid after it
/// is disposed. Thread-safe.
/// </summary>
sealed class StoreSnapshot : IDisposable
{
    readonly IStorageSnapshot _storage;
    readonly ImmutableDictionary<string, KeyspaceView> _keyspaces;

    readonly HlcTimestamp _now;

    StoreSnapshot(IStorageSnapshot storage, ImmutableDictionary<string, KeyspaceView> keyspaces, HlcTimestamp now)
    {
        _storage = storage;
        _keyspaces = keyspaces;
        _now = now;
    }

    /// <summary>Gets or sets the observer of what is read; null if there is none.</summary>
    public ISnapshotObserver? Observer { get; set; }

    /// <summary>Opens a view of a store.</summary>
    /// <param name="storage">The storage.</param>
    /// <param name="catalog">The keyspaces of the store.</param>
    /// <param name="clock">The clock, whose wall clock says which documents have expired.</param>
    /// <param name="cancellationToken">Cancels the opening.</param>
    public static async ValueTask<StoreSnapshot> OpenAsync(
        IStorage storage, KeyspaceCatalog catalog, HybridLogicalClock clock, CancellationToken cancellationToken)
    {
        while (true)
        {
            var keyspaces = catalog.Views;
            var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
            // The snapshot may lack entries of an index that was dropped before the snapshot was opened.
            if (ReferenceEquals(keyspaces, catalog.Views))
                return new StoreSnapshot(snapshot, keyspaces, clock.Wall);
            snapshot.Dispose();
        }
    }

    /// <summary>Returns a live document, or <see langword="null"/> if the replica shows none with the key.</summary>
    /// <exception cref="StorageException">The store cannot be read, or the document in it is damaged.</exception>
    public async ValueTask<Document?> GetAsync(string keyspace, DocumentKey key, CancellationToken cancellationToken = default) =>
        await GetStoredAsync(keyspace, key, cancellationToken).ConfigureAwait(false) is (var document, true) ? document : null;

    /// <summary>
    /// Returns a document and whether readers see it, also if it is deleted, until every member knows that; <see langword="null"/> if nothing
    /// is stored with the key.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read, or the document in it is damaged.</exception>
    public async ValueTask<(Document Document, bool IsAlive)?> GetStoredAsync(string keyspace, DocumentKey key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_keyspaces.TryGetValue(keyspace, out var found))
            return null;
        byte[] storageKey = StoreLayout.DocumentKey(found.Number, key.Encoded.Span);
        var document = await DocumentRecord.ReadAsync(_storage, storageKey).ConfigureAwait(false);
        Observer?.OnRead(keyspace, found.Policy, key, document.IsAliveAt(_now, found.Policy) ? document : null);
        return ReferenceEquals(document, Document.Nothing) ? null : (document, document.IsAliveAt(_now, found.Policy));
    }

    /// <summary>
    /// Returns a page of live documents from a range of encoded keys, in the order of their keys. Only an empty page marks the end. The
    /// next page starts after (or, backward, before) the last key.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read, or a document in it is damaged.</exception>
    public async ValueTask<IReadOnlyList<StoredDocument>> ScanAsync(
        string keyspace, KeyRange keys, ScanDirection direction, int maxDocuments, CancellationToken cancellationToken = default)
    {
        if (!_keyspaces.TryGetValue(keyspace, out var found))
            return [];
        var range = StoreLayout.Within(StoreLayout.Documents(found.Number), keys);
        var documents = new List<StoredDocument>();
        while (documents.Count == 0)
        {
            var page = await _storage.ScanAsync(range, direction, maxDocuments, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                break;
            foreach (var (key, value) in page)
            {
                var document = DocumentRecord.Parse(key, value);
                if (document.IsAliveAt(_now, found.Policy))
                    documents.Add(new StoredDocument(new DocumentKey(key[StoreLayout.DocumentPrefixLength..].ToArray()), document));
            }
            range = direction == ScanDirection.Forward ? range.After(page[^1].Key) : range.Before(page[^1].Key);
        }
        return documents;
    }

    /// <summary>
    /// Returns a page of documents from a range of encoded keys, in the order of their keys, with the deleted ones that not every member knows to
    /// be deleted. An empty page marks the end. The next page starts after the last key.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read, or a document in it is damaged.</exception>
    public async ValueTask<IReadOnlyList<(DocumentKey Key, Document Document, bool IsAlive)>> ScanStoredAsync(
        string keyspace, KeyRange keys, int maxDocuments, CancellationToken cancellationToken = default)
    {
        if (!_keyspaces.TryGetValue(keyspace, out var found))
            return [];
        var range = StoreLayout.Within(StoreLayout.Documents(found.Number), keys);
        var page = await _storage.ScanAsync(range, ScanDirection.Forward, maxDocuments, cancellationToken).ConfigureAwait(false);
        var documents = new List<(DocumentKey, Document, bool)>(page.Count);
        foreach (var (key, value) in page)
        {
            var document = DocumentRecord.Parse(key, value);
            documents.Add((new DocumentKey(key[StoreLayout.DocumentPrefixLength..].ToArray()), document, document.IsAliveAt(_now, found.Policy)));
        }
        return documents;
    }

    /// <summary>
    /// Reads live documents from a range of encoded keys into a reusable page, in the order of their keys and without allocating an object
    /// for each document. An empty page marks the end. The next page starts after (or, backward, before) the returned key.
    /// </summary>
    /// <returns>The last encoded key that was read for the page; empty at the end.</returns>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ScanAsync(
        string keyspace, KeyRange keys, ScanDirection direction, int maxDocuments, DocumentPage page, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        if (!_keyspaces.TryGetValue(keyspace, out var found))
        {
            page.Clear();
            return default;
        }
        var entries = page.EntriesFor(found.Policy, _now);
        var range = StoreLayout.Within(StoreLayout.Documents(found.Number), keys);
        var reading = LastKeyAsync(_storage.ScanAsync(range, direction, maxDocuments, entries, cancellationToken), entries, StoreLayout.DocumentPrefixLength);
        return Observer is { } observer ? ObserveAsync() : reading;

        async ValueTask<ReadOnlyMemory<byte>> ObserveAsync()
        {
            var last = await reading.ConfigureAwait(false);
            observer.OnScanned(keyspace, found.Policy, Covered(keys, direction, last), page);
            return last;
        }
    }

    /// <summary>
    /// Reads the documents with the given keys into a page, in the order of the keys. Keys without a live document are left out. Ascending
    /// keys are found fastest.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public ValueTask GetManyAsync(
        string keyspace, IReadOnlyList<DocumentKey> keys, DocumentPage page, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(keys);
        ArgumentNullException.ThrowIfNull(page);
        if (!_keyspaces.TryGetValue(keyspace, out var found))
        {
            page.Clear();
            return default;
        }
        var entries = page.EntriesFor(found.Policy, _now);
        var storageKeys = StoreLayout.DocumentKeys(found.Number, keys);
        var reading = _storage is IDocumentPageReader reader
            ? reader.ReadManyAsync(storageKeys, page, cancellationToken)
            : _storage.GetManyAsync(storageKeys, entries, cancellationToken);
        return Observer is { } observer ? ObserveAsync() : reading;

        async ValueTask ObserveAsync()
        {
            await reading.ConfigureAwait(false);
            var documents = new Dictionary<DocumentKey, Document>(keys.Count);
            foreach (var document in page)
                documents[new DocumentKey(document.EncodedKey.ToArray())] = Document.Parse(document.Document.Encoded.ToArray());
            foreach (var key in keys)
                observer.OnRead(keyspace, found.Policy, key, documents.GetValueOrDefault(key));
        }
    }

    public async IAsyncEnumerable<DocumentMetadata> ReadMetadataAsync(string keyspace, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!_keyspaces.TryGetValue(keyspace, out var found))
            yield break;
        await foreach (var (key, value) in _storage.ReadAllAsync(StoreLayout.Documents(found.Number), cancellationToken).ConfigureAwait(false))
        {
            var document = DocumentRecord.Parse(key, value);
            yield return new DocumentMetadata(
                new DocumentKey(key[StoreLayout.DocumentPrefixLength..].ToArray()), document.Newest, !document.IsAliveAt(_now, found.Policy));
        }
    }

    /// <summary>Returns true if an index can be read, because it was declared and contains all documents.</summary>
    public bool HasIndex(string keyspace, string index) => Find(keyspace, index) is not null;

    /// <summary>
    /// Returns the declaration of an index that can be read; null if there is no such index or it does not contain all documents.
    /// </summary>
    public DocumentIndex? FindIndex(string keyspace, string index) => Find(keyspace, index)?.Definition;

    /// <summary>
    /// Reads entries of an index from a range of encoded values into a reusable page, in the order of their values and then of their keys.
    /// An empty page marks the end.
    /// </summary>
    /// <returns>The position of the last entry of the page; empty at the end.</returns>
    /// <exception cref="InvalidOperationException">The keyspace has no such index, or it is still being built.</exception>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ScanIndexAsync(
        string keyspace, string index, KeyRange values, ScanDirection direction, int maxEntries, IndexPage page,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        var found = IndexOf(keyspace, index);
        var range = StoreLayout.Within(StoreLayout.IndexEntries(found.Number), values);
        var reading = LastKeyAsync(
            _storage.ScanAsync(range, direction, maxEntries, page.Entries, cancellationToken), page.Entries, StoreLayout.IndexEntryPrefixLength);
        return Observer is { } observer ? ObserveAsync() : reading;

        async ValueTask<ReadOnlyMemory<byte>> ObserveAsync()
        {
            var last = await reading.ConfigureAwait(false);
            observer.OnIndexScanned(keyspace, _keyspaces[keyspace].Policy, found.Definition, Covered(values, direction, last), page);
            return last;
        }
    }

    /// <summary>Returns the number of entries of an index in a range of encoded values. What is counted is not observed.</summary>
    /// <exception cref="InvalidOperationException">The keyspace has no such index, or it is still being built.</exception>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public ValueTask<long> CountIndexAsync(string keyspace, string index, KeyRange values, CancellationToken cancellationToken = default) =>
        _storage.CountAsync(StoreLayout.Within(StoreLayout.IndexEntries(IndexOf(keyspace, index).Number), values), cancellationToken);

    /// <summary>
    /// Returns the position of the entry of an index that comes after a number of others in a range of encoded values; empty if there is none. What is skipped is not observed.
    /// </summary>
    /// <exception cref="InvalidOperationException">The keyspace has no such index, or it is still being built.</exception>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async ValueTask<ReadOnlyMemory<byte>> SkipIndexAsync(
        string keyspace, string index, KeyRange values, ScanDirection direction, long count, CancellationToken cancellationToken = default)
    {
        var range = StoreLayout.Within(StoreLayout.IndexEntries(IndexOf(keyspace, index).Number), values);
        return await _storage.SkipAsync(range, direction, count, cancellationToken).ConfigureAwait(false) is { } key ? key[StoreLayout.IndexEntryPrefixLength..] : default;
    }

    /// <summary>Returns the set of transactions that the view reflects, as a position from which a watch can continue.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async ValueTask<WatchPosition> GetPositionAsync(CancellationToken cancellationToken = default) =>
        new((await Replica.ReadStateAsync(_storage, cancellationToken).ConfigureAwait(false)).Known);

    /// <summary>Returns the document count and the fingerprint of a keyspace; both are 0 if nothing was ever written to it.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async ValueTask<KeyspaceStatistics> GetStatisticsAsync(string keyspace, CancellationToken cancellationToken = default)
    {
        var stored = _keyspaces.TryGetValue(keyspace, out var found)
            ? await _storage.GetAsync(StoreLayout.KeyspaceKey(found.Number), cancellationToken).ConfigureAwait(false)
            : null;
        if (stored is not { } bytes)
            return new KeyspaceStatistics(keyspace, 0, 0);
        var record = KeyspaceRecord.Decode(bytes);
        long expired = await CountExpiredAsync(found!, long.MaxValue, cancellationToken).ConfigureAwait(false);
        return new KeyspaceStatistics(record.Name, Math.Max(record.Count - expired, 0), record.Fingerprint);
    }

    /// <summary>
    /// Returns true if some documents of a keyspace have expired and are not removed yet. The indexes contain them, so whoever reads an index without the documents must ask.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async ValueTask<bool> HasExpiredAsync(string keyspace, CancellationToken cancellationToken = default) =>
        _keyspaces.TryGetValue(keyspace, out var found) && await CountExpiredAsync(found, 1, cancellationToken).ConfigureAwait(false) > 0;

    /// <summary>Counts the documents that have expired and are not removed yet, up to a maximum. The replica removes them soon, so that they are few.</summary>
    async ValueTask<long> CountExpiredAsync(KeyspaceView keyspace, long max, CancellationToken cancellationToken)
    {
        if (!keyspace.MayExpire)
            return 0;
        long count = 0;
        if (keyspace.Indexes.FirstOrDefault(static index => index.Definition.Name == ExpiryIndex.Name) is { } expiries)
        {
            var range = StoreLayout.Within(StoreLayout.IndexEntries(expiries.Number), ExpiryIndex.UpTo(_now));
            await foreach (var _ in _storage.ReadKeysAsync(range, cancellationToken).ConfigureAwait(false))
            {
                if (++count >= max)
                    break;
            }
            return count;
        }
        // The index is being built.
        await foreach (var (key, value) in _storage.ReadAllAsync(StoreLayout.Documents(keyspace.Number), cancellationToken).ConfigureAwait(false))
        {
            var document = DocumentRecord.Parse(key, value);
            if (document.IsAlive(keyspace.Policy) && document.View.HasExpired(_now) && ++count >= max)
                break;
        }
        return count;
    }

    /// <inheritdoc/>
    public void Dispose() => _storage.Dispose();

    /// <summary>Returns the part of a range that a page covers: up to its last entry, or all of it if the page is empty.</summary>
    static KeyRange Covered(KeyRange range, ScanDirection direction, ReadOnlyMemory<byte> last) =>
        last.IsEmpty ? range
        : direction == ScanDirection.Forward ? range with { End = KeyRange.All.After(last).Start }
        : range with { Start = last };

    /// <summary>Returns the last key of a page, without the prefix, after the page is read.</summary>
    static async ValueTask<ReadOnlyMemory<byte>> LastKeyAsync(ValueTask reading, EntryPage entries, int prefixLength)
    {
        await reading.ConfigureAwait(false);
        return entries.Count == 0 ? default : entries.KeyOf(entries.Count - 1)[prefixLength..].ToArray();
    }

    IndexEntrySet IndexOf(string keyspace, string index) => Find(keyspace, index) ?? throw new InvalidOperationException(
        $"The keyspace '{keyspace}' has no index '{index}', or the index is still being built. Declare the index, and wait until it is built.");

    IndexEntrySet? Find(string keyspace, string index)
    {
        if (_keyspaces.TryGetValue(keyspace, out var found))
        {
            foreach (var candidate in found.Indexes)
            {
                if (candidate.Definition.Name == index)
                    return candidate;
            }
        }
        return null;
    }
}
