using Datacake.Crdt;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// A consistent view of a replica's documents and indexes, which later commits do not change. Documents that it returns stay valid after it is
/// disposed. Thread-safe.
/// </summary>
public sealed class StoreSnapshot : IDisposable
{
    /// <summary>A living document, or <see langword="null"/> if the replica shows none under this key.</summary>
    public ValueTask<Document?> GetAsync(string keyspace, DocumentKey key, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <summary>
    /// A page of living documents in the order of their keys, from a range of encoded keys. Only an empty page is the end; the next one starts
    /// after (or before) the last key.
    /// </summary>
    public ValueTask<IReadOnlyList<StoredDocument>> ScanAsync(
        string keyspace, KeyRange keys, ScanDirection direction, int maxDocuments, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <summary>
    /// A page of an index's entries in the order of their values, then of their keys, from a range of encoded values. Only an empty page is the end;
    /// the next one starts after (or before) the last entry's <see cref="IndexEntry.Position"/>.
    /// </summary>
    /// <exception cref="InvalidOperationException">The keyspace has no such index.</exception>
    public ValueTask<IReadOnlyList<IndexEntry>> ScanIndexAsync(
        string keyspace, string index, KeyRange values, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <summary>The count and the fingerprint of a keyspace; zeros if nothing was ever written to it.</summary>
    public ValueTask<KeyspaceStatistics> GetStatisticsAsync(string keyspace, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
