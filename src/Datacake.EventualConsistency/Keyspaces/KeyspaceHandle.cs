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

    /// <summary>How many documents the local replica shows, and their fingerprint.</summary>
    public async ValueTask<KeyspaceStatistics> GetStatisticsAsync(CancellationToken cancellationToken = default)
    {
        using var snapshot = await _store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        return await snapshot.GetStatisticsAsync(Name, cancellationToken).ConfigureAwait(false);
    }
}
