using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Snapshots;
using Datacake.EventualConsistency.Replication;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// A consistent view of a replica's documents and indexes, which later commits do not change. Documents that it returns stay valid after it is
/// disposed. Thread-safe.
/// </summary>
public sealed class StoreSnapshot : IDisposable
{
    readonly IStorageSnapshot _storage;
    readonly ImmutableDictionary<string, KeyspaceView> _keyspaces;

    StoreSnapshot(IStorageSnapshot storage, ImmutableDictionary<string, KeyspaceView> keyspaces)
    {
        _storage = storage;
        _keyspaces = keyspaces;
    }

    internal static async ValueTask<StoreSnapshot> OpenAsync(IStorage storage, KeyspaceCatalog catalog, CancellationToken cancellationToken)
    {
        while (true)
        {
            var keyspaces = catalog.Views;
            var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
            // An index that was dropped before the snapshot was opened may lack entries in it.
            if (ReferenceEquals(keyspaces, catalog.Views))
                return new StoreSnapshot(snapshot, keyspaces);
            snapshot.Dispose();
        }
    }

    /// <summary>A living document, or <see langword="null"/> if the replica shows none under this key.</summary>
    /// <exception cref="StorageException">The store cannot be read, or the document in it is damaged.</exception>
    public async ValueTask<Document?> GetAsync(string keyspace, DocumentKey key, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_keyspaces.TryGetValue(keyspace, out var found))
            return null;
        byte[] storageKey = StoreLayout.DocumentKey(found.Number, key.Encoded.Span);
        var document = await DocumentRecord.ReadAsync(_storage, storageKey).ConfigureAwait(false);
        return document.IsAlive(found.Policy) ? document : null;
    }

    /// <summary>
    /// A page of living documents in the order of their keys, from a range of encoded keys. Only an empty page is the end; the next one starts
    /// after (or before) the last key.
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
                if (document.IsAlive(found.Policy))
                    documents.Add(new StoredDocument(new DocumentKey(key[StoreLayout.DocumentPrefixLength..].ToArray()), document));
            }
            range = direction == ScanDirection.Forward ? range.After(page[^1].Key) : range.Before(page[^1].Key);
        }
        return documents;
    }

    /// <summary>
    /// The same, into a page that is used again, without an object for each document: an empty page is the end, and the next one starts after
    /// (or before) the last key of this one.
    /// </summary>
    /// <returns>The encoded key that the page ends with; empty if it is the end.</returns>
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
        var entries = page.EntriesFor(found.Policy);
        var range = StoreLayout.Within(StoreLayout.Documents(found.Number), keys);
        return LastKeyAsync(_storage.ScanAsync(range, direction, maxDocuments, entries, cancellationToken), entries, StoreLayout.DocumentPrefixLength);
    }

    /// <summary>
    /// The documents of some keys, in their order, into a page; a key without a living document is left out. Ascending keys are found
    /// fastest.
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
        var entries = page.EntriesFor(found.Policy);
        var storageKeys = StoreLayout.DocumentKeys(found.Number, keys);
        return _storage is IDocumentPageReader reader
            ? reader.ReadManyAsync(storageKeys, page, cancellationToken)
            : _storage.GetManyAsync(storageKeys, entries, cancellationToken);
    }

    internal async IAsyncEnumerable<DocumentMetadata> ReadMetadataAsync(string keyspace, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (!_keyspaces.TryGetValue(keyspace, out var found))
            yield break;
        await foreach (var (key, value) in _storage.ReadAllAsync(StoreLayout.Documents(found.Number), cancellationToken).ConfigureAwait(false))
        {
            var document = DocumentRecord.Parse(key, value);
            yield return new DocumentMetadata(
                new DocumentKey(key[StoreLayout.DocumentPrefixLength..].ToArray()), document.Newest, !document.IsAlive(found.Policy));
        }
    }

    /// <summary>Whether an index can be read: it was declared, and has all documents.</summary>
    public bool HasIndex(string keyspace, string index) => Find(keyspace, index) is not null;

    /// <summary>Returns the declaration of an index that can be read, or null if there is none, or it lacks documents.</summary>
    public DocumentIndex? FindIndex(string keyspace, string index) => Find(keyspace, index)?.Definition;

    /// <summary>
    /// A page of an index's entries in the order of their values, then of their keys, from a range of encoded values. Only an empty page is the end;
    /// the next one starts after (or before) the last entry's <see cref="IndexEntry.Position"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The keyspace has no such index, or it is still being built.</exception>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async ValueTask<IReadOnlyList<IndexEntry>> ScanIndexAsync(
        string keyspace, string index, KeyRange values, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
    {
        var range = StoreLayout.Within(StoreLayout.IndexEntries(IndexOf(keyspace, index).Number), values);
        var page = await _storage.ScanAsync(range, direction, maxEntries, cancellationToken).ConfigureAwait(false);
        var entries = new IndexEntry[page.Count];
        for (int i = 0; i < entries.Length; i++)
        {
            var position = page[i].Key[StoreLayout.IndexEntryPrefixLength..].ToArray().AsMemory();
            entries[i] = new IndexEntry(position, new DocumentKey(position[^page[i].Value.Span[0]..]));
        }
        return entries;
    }

    /// <summary>The same, into a page that is used again: an empty one is the end.</summary>
    /// <returns>The position that the page ends with; empty if it is the end.</returns>
    /// <exception cref="InvalidOperationException">The keyspace has no such index, or it is still being built.</exception>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public ValueTask<ReadOnlyMemory<byte>> ScanIndexAsync(
        string keyspace, string index, KeyRange values, ScanDirection direction, int maxEntries, IndexPage page,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(page);
        var range = StoreLayout.Within(StoreLayout.IndexEntries(IndexOf(keyspace, index).Number), values);
        return LastKeyAsync(
            _storage.ScanAsync(range, direction, maxEntries, page.Entries, cancellationToken), page.Entries, StoreLayout.IndexEntryPrefixLength);
    }

    /// <summary>Which transactions the view reflects.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async ValueTask<WatchPosition> GetPositionAsync(CancellationToken cancellationToken = default) =>
        new((await Replica.ReadStateAsync(_storage, cancellationToken).ConfigureAwait(false)).Known);

    /// <summary>The count and the fingerprint of a keyspace; zeros if nothing was ever written to it.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public async ValueTask<KeyspaceStatistics> GetStatisticsAsync(string keyspace, CancellationToken cancellationToken = default)
    {
        var stored = _keyspaces.TryGetValue(keyspace, out var found)
            ? await _storage.GetAsync(StoreLayout.KeyspaceKey(found.Number), cancellationToken).ConfigureAwait(false)
            : null;
        if (stored is not { } bytes)
            return new KeyspaceStatistics(keyspace, 0, 0);
        var record = KeyspaceRecord.Decode(bytes);
        return new KeyspaceStatistics(record.Name, record.Count, record.Fingerprint);
    }

    /// <inheritdoc/>
    public void Dispose() => _storage.Dispose();

    /// <summary>What a page ends with, without the prefix of its keys, once it is read.</summary>
    static async ValueTask<ReadOnlyMemory<byte>> LastKeyAsync(ValueTask reading, EntryPage entries, int prefixLength)
    {
        await reading.ConfigureAwait(false);
        return entries.Count == 0 ? default : entries.KeyOf(entries.Count - 1)[prefixLength..].ToArray();
    }

    IndexEntrySet IndexOf(string keyspace, string index) => Find(keyspace, index) ?? throw new InvalidOperationException(
        $"The keyspace '{keyspace}' has no index '{index}', or not all documents are in it yet: declare it, and wait until it is built.");

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
