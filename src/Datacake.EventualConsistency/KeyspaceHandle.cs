using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>A keyspace of raw documents, whose values are bytes. The later put wins. Thread-safe.</summary>
public sealed class KeyspaceHandle
{
    const int PageSize = 200;

    readonly ReplicatedStore _store;

    internal KeyspaceHandle(ReplicatedStore store, string name)
    {
        _store = store;
        Name = name;
    }

    /// <summary>Gets the name of the keyspace.</summary>
    public string Name { get; }

    /// <summary>Puts a document.</summary>
    /// <exception cref="NotEnoughNodesException">Too few members are up for the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The write is kept and continues to replicate.</exception>
    public ValueTask<CommitResult> PutAsync(
        DocumentKey key, ReadOnlyMemory<byte> value, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        var transaction = new Transaction();
        transaction.Put(Name, key, DocumentContent.OfRaw(value.Span));
        return _store.CommitAsync(transaction, consistency, cancellationToken);
    }

    /// <summary>Puts a document that is there until it expires, by the wall clock of each node. An instant in the past makes it invisible at once.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value.</param>
    /// <param name="expires">The instant from which on the document is not there, with a resolution of 4 ms. Another put changes it.</param>
    /// <param name="consistency">The level.</param>
    /// <param name="cancellationToken">Cancels the wait for the level.</param>
    /// <exception cref="ArgumentOutOfRangeException">The instant is before 2023 or after 2158.</exception>
    /// <exception cref="NotEnoughNodesException">Too few members are up for the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The write is kept and continues to replicate.</exception>
    public ValueTask<CommitResult> PutExpiringAsync(
        DocumentKey key, ReadOnlyMemory<byte> value, DateTimeOffset expires, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        var transaction = new Transaction();
        transaction.PutExpiring(Name, key, DocumentContent.OfRaw(value.Span), expires);
        return _store.CommitAsync(transaction, consistency, cancellationToken);
    }

    /// <summary>Puts a document again with another expiry, or with none, if it is still there.</summary>
    /// <param name="key">The key.</param>
    /// <param name="expires">The instant from which on the document is not there; null if it no longer expires.</param>
    /// <param name="consistency">The level.</param>
    /// <param name="cancellationToken">Cancels the wait for the level.</param>
    /// <exception cref="ArgumentOutOfRangeException">The instant is before 2023 or after 2158.</exception>
    /// <exception cref="DocumentNotFoundException">The document does not exist here, or has expired.</exception>
    /// <exception cref="NotEnoughNodesException">Too few members are up for the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The write is kept and continues to replicate.</exception>
    public ValueTask<CommitResult> RenewAsync(
        DocumentKey key, DateTimeOffset? expires, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        var transaction = new Transaction();
        transaction.Renew(Name, key, DocumentContent.Empty, expires);
        return _store.CommitAsync(transaction, consistency, cancellationToken);
    }

    /// <summary>Puts several documents in one transaction.</summary>
    /// <exception cref="NotEnoughNodesException">Too few members are up for the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The write is kept and continues to replicate.</exception>
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
    /// <exception cref="NotEnoughNodesException">Too few members are up for the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The write is kept and continues to replicate.</exception>
    public ValueTask<CommitResult> DeleteAsync(
        DocumentKey key, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default) =>
        DeleteManyAsync([key], consistency, cancellationToken);

    /// <summary>Deletes several documents in one transaction. They need not exist.</summary>
    /// <exception cref="NotEnoughNodesException">Too few members are up for the level. Nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time. The write is kept and continues to replicate.</exception>
    public ValueTask<CommitResult> DeleteManyAsync(
        IEnumerable<DocumentKey> keys, Consistency consistency = Consistency.Quorum, CancellationToken cancellationToken = default)
    {
        var transaction = new Transaction();
        foreach (var key in keys)
            transaction.Delete(Name, key);
        return _store.CommitAsync(transaction, consistency, cancellationToken);
    }

    /// <summary>Returns a document from the local replica, or <see langword="null"/> if it does not exist.</summary>
    public async ValueTask<Document?> GetAsync(DocumentKey key, CancellationToken cancellationToken = default)
    {
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return await snapshot.GetAsync(Name, key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Returns a document, merged from as many replicas as the level asks for, or <see langword="null"/> if it does not exist. The result
    /// includes every write that was made at an overlapping level, such as a quorum write for a quorum read. Replicas that lack part of the
    /// result are made to fetch it at once.
    /// </summary>
    /// <exception cref="NotEnoughNodesException">Too few members are up for the level.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time.</exception>
    public async ValueTask<Document?> GetAsync(DocumentKey key, Consistency consistency, CancellationToken cancellationToken = default) =>
        (await _store.ReadAsync(Name, [key], consistency, cancellationToken).ConfigureAwait(false))[0];

    /// <summary>
    /// Returns the documents with the given keys, at most 1,000, merged from as many replicas as the level asks for. Documents that do not
    /// exist are omitted.
    /// </summary>
    /// <exception cref="NotEnoughNodesException">Too few members are up for the level.</exception>
    /// <exception cref="ConsistencyException">The level was not reached in time.</exception>
    public async ValueTask<IReadOnlyList<StoredDocument>> GetManyAsync(
        IEnumerable<DocumentKey> keys, Consistency consistency, CancellationToken cancellationToken = default)
    {
        DocumentKey[] asked = [.. keys];
        var documents = await _store.ReadAsync(Name, asked, consistency, cancellationToken).ConfigureAwait(false);
        return [.. asked.Zip(documents).Where(found => found.Second is not null).Select(found => new StoredDocument(found.First, found.Second!))];
    }

    /// <summary>
    /// Returns the documents with the given keys from the local replica, in one snapshot. Documents that do not exist are omitted.
    /// </summary>
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

    /// <summary>Returns all documents of the local replica, in the order of their keys, in one snapshot.</summary>
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
    /// Returns the keys and stamps of all documents that the local replica stores, in the order of their keys, in one snapshot. Includes
    /// deleted documents until every member of the cluster knows of the delete.
    /// </summary>
    public async IAsyncEnumerable<DocumentMetadata> ReadMetadataAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        await foreach (var document in snapshot.ReadMetadataAsync(Name, cancellationToken).ConfigureAwait(false))
            yield return document;
    }

    /// <summary>
    /// Watches the changes of the keyspace's documents on this replica, made by transactions of this node and of others, until the watch is
    /// canceled. The first batch comes at once, is empty, and contains the position from which on all changes are reported.
    /// </summary>
    /// <param name="after">The position that an earlier watch has reached, or <see cref="WatchPosition.Now"/>.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    /// <remarks>
    /// All changes of a transaction come in one batch. A reader that falls behind the writers for long (see
    /// <see cref="ReplicatedStoreOptions.MaxWatchBufferLength"/>), or continues from an old position, gets the latest state of the
    /// documents that have changed in the meantime. If these are no longer known, because all members of the cluster have the changes, it
    /// gets a batch with <see cref="DocumentChanges.HasGap"/>.
    /// </remarks>
    /// <exception cref="ObjectDisposedException">The store was closed.</exception>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public IAsyncEnumerable<DocumentChanges> WatchAsync(WatchPosition after, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(after);
        return _store.WatchAsync(Name, after, cancellationToken);
    }

    /// <summary>Returns the number of documents in the local replica, and their fingerprint.</summary>
    public async ValueTask<KeyspaceStatistics> GetStatisticsAsync(CancellationToken cancellationToken = default)
    {
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return await snapshot.GetStatisticsAsync(Name, cancellationToken).ConfigureAwait(false);
    }
}
