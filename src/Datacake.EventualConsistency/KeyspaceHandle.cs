using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>A keyspace of raw documents: values of bytes, of which the later put wins. Thread-safe.</summary>
public sealed class KeyspaceHandle
{
    const int PageSize = 200;

    readonly ReplicatedStore _store;

    internal KeyspaceHandle(ReplicatedStore store, string name)
    {
        _store = store;
        Name = name;
    }

    /// <summary>The name of the keyspace.</summary>
    public string Name { get; }

    /// <summary>Puts a document.</summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level; nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. The write stays, and goes on replicating.</exception>
    public ValueTask<CommitResult> PutAsync(
        DocumentKey key, ReadOnlyMemory<byte> value, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        var transaction = new Transaction();
        transaction.Put(Name, key, DocumentContent.OfRaw(value.Span));
        return _store.CommitAsync(transaction, consistency, cancellationToken);
    }

    /// <summary>Puts several documents in one transaction.</summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level; nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. The write stays, and goes on replicating.</exception>
    public ValueTask<CommitResult> PutManyAsync(
        IEnumerable<KeyValuePair<DocumentKey, ReadOnlyMemory<byte>>> documents, Consistency consistency = Consistency.Quorum,
        CancellationToken cancellationToken = default)
    {
        var transaction = new Transaction();
        foreach (var (key, value) in documents)
            transaction.Put(Name, key, DocumentContent.OfRaw(value.Span));
        return _store.CommitAsync(transaction, consistency, cancellationToken);
    }

    /// <summary>Deletes a document. It need not exist.</summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level; nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. The write stays, and goes on replicating.</exception>
    public ValueTask<CommitResult> DeleteAsync(
        DocumentKey key, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default) =>
        DeleteManyAsync([key], consistency, cancellationToken);

    /// <summary>Deletes several documents in one transaction. They need not exist.</summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level; nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. The write stays, and goes on replicating.</exception>
    public ValueTask<CommitResult> DeleteManyAsync(
        IEnumerable<DocumentKey> keys, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        var transaction = new Transaction();
        foreach (var key in keys)
            transaction.Delete(Name, key);
        return _store.CommitAsync(transaction, consistency, cancellationToken);
    }

    /// <summary>The document that the local replica shows under a key, or <see langword="null"/>.</summary>
    public async ValueTask<Document?> GetAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return await snapshot.GetAsync(Name, key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// The document under a key as so many replicas show it together as the level asks for: whatever was written at a level that overlaps, such as
    /// quorum with quorum, is seen. Replicas that lack some of it are made to fetch it at once.
    /// </summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time.</exception>
    public async ValueTask<Document?> GetAsync(DocumentKey key, Consistency consistency, CancellationToken cancellationToken = default) =>
        (await _store.ReadAsync(Name, [key], consistency, cancellationToken).ConfigureAwait(false))[0];

    /// <summary>
    /// The documents under some keys, up to 1,000, as so many replicas show them together as the level asks for; those that do not exist are left out.
    /// </summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time.</exception>
    public async ValueTask<IReadOnlyList<StoredDocument>> GetManyAsync(
        IEnumerable<DocumentKey> keys, Consistency consistency, CancellationToken cancellationToken = default)
    {
        DocumentKey[] asked = [.. keys];
        var documents = await _store.ReadAsync(Name, asked, consistency, cancellationToken).ConfigureAwait(false);
        return [.. asked.Zip(documents).Where(found => found.Second is not null).Select(found => new StoredDocument(found.First, found.Second!))];
    }

    /// <summary>The documents that the local replica shows under some keys, in one snapshot; those that it does not show are left out.</summary>
    public async ValueTask<IReadOnlyList<StoredDocument>> GetManyAsync(IEnumerable<DocumentKey> keys, CancellationToken cancellationToken = default)
    {
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var found = new List<StoredDocument>();
        foreach (var key in keys)
        {
            if (await snapshot.GetAsync(Name, key, cancellationToken).ConfigureAwait(false) is { } document)
                found.Add(new StoredDocument(key, document));
        }
        return found;
    }

    /// <summary>All documents that the local replica shows, in the order of their keys, in one snapshot.</summary>
    public async IAsyncEnumerable<StoredDocument> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var range = KeyRange.All;
        while (true)
        {
            var page = await snapshot.ScanAsync(Name, range, ScanDirection.Forward, PageSize, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                yield break;
            foreach (var document in page)
                yield return document;
            range = range.After(page[^1].Key.Encoded);
        }
    }

    /// <summary>
    /// The keys and stamps of all documents that the local replica stores, in the order of their keys, in one snapshot: deleted ones, too, as long as
    /// not every member of the cluster knows of the delete.
    /// </summary>
    public async IAsyncEnumerable<DocumentMetadata> ReadMetadataAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var document in snapshot.ReadMetadataAsync(Name, cancellationToken).ConfigureAwait(false))
            yield return document;
    }

    /// <summary>
    /// What becomes of the keyspace's documents on this replica, by transactions of this node and of others, until the cancellation. The first batch
    /// comes at once, is empty, and says from where on all changes are told.
    /// </summary>
    /// <param name="after">Where an earlier watch got to, or <see cref="WatchPosition.Now"/>.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <remarks>
    /// Changes of one transaction come in one batch. A reader that is slower than the writers for long (see
    /// <see cref="ReplicatedStoreOptions.MaxWatchBufferLength"/>), or that goes on from an old position, gets the latest state of the documents that
    /// changed meanwhile; and if these are no longer known, a batch with <see cref="DocumentChanges.HasGap"/>. What changed is forgotten once all
    /// members of the cluster have it.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public IAsyncEnumerable<DocumentChanges> WatchAsync(WatchPosition after, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(after);
        return _store.WatchAsync(Name, after, cancellationToken);
    }

    /// <summary>How many documents the local replica shows, and their fingerprint.</summary>
    public async ValueTask<KeyspaceStatistics> GetStatisticsAsync(CancellationToken cancellationToken = default)
    {
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return await snapshot.GetStatisticsAsync(Name, cancellationToken).ConfigureAwait(false);
    }
}
