using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Storage;

namespace Datacake.Data.Querying;

/// <summary>A document on the way from a path to a query.</summary>
/// <param name="Key">The key.</param>
/// <param name="Document">The document.</param>
/// <param name="IndexValue">The index's value under which it was found, if the path has the index's order.</param>
readonly record struct FetchedDocument(DocumentKey Key, Document Document, ReadOnlyMemory<byte> IndexValue);

/// <summary>Reads the documents that a path leads to, from one snapshot, in pages that grow.</summary>
sealed class PathReader(StoreSnapshot snapshot, string keyspace)
{
    public const int FirstPage = 32, LargestPage = 512;

    public async IAsyncEnumerable<IReadOnlyList<FetchedDocument>> ReadAsync(
        AccessPath path, int page, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        switch (path)
        {
            case KeyScan scan:
                for (var range = scan.Keys; ; page = Math.Min(page * 2, LargestPage))
                {
                    var documents = await snapshot.ScanAsync(keyspace, range, scan.Direction, page, cancellationToken).ConfigureAwait(false);
                    if (documents.Count == 0)
                        yield break;
                    yield return [.. documents.Select(document => new FetchedDocument(document.Key, document.Document, default))];
                    var last = documents[^1].Key.Encoded;
                    range = scan.Direction == ScanDirection.Forward ? range.After(last) : range.Before(last);
                }

            case IndexScan { IsInOrder: true, Values: [var values] } index:
                for (; ; page = Math.Min(page * 2, LargestPage))
                {
                    var entries = await snapshot
                        .ScanIndexAsync(keyspace, index.Index.Name, values, index.Direction, page, cancellationToken).ConfigureAwait(false);
                    if (entries.Count == 0)
                        yield break;
                    yield return await GetAsync(entries, cancellationToken).ConfigureAwait(false);
                    var last = entries[^1].Position;
                    values = index.Direction == ScanDirection.Forward ? values.After(last) : values.Before(last);
                }

            case not NoAccess:
                var keys = new HashSet<DocumentKey>();
                await CollectKeysAsync(path, keys, cancellationToken).ConfigureAwait(false);
                // In the order of the keys, whatever the path: so that results without an order come in the same one, on every node and
                // with every plan.
                var ordered = keys.Order().Select(key => new IndexEntry(default, key)).ToList();
                for (int start = 0; start < ordered.Count; start += page, page = Math.Min(page * 2, LargestPage))
                {
                    var part = ordered[start..Math.Min(start + page, ordered.Count)];
                    yield return await GetAsync(part, cancellationToken).ConfigureAwait(false);
                }
                break;
        }
    }

    /// <summary>How many entries the ranges of an index have.</summary>
    public async ValueTask<long> CountAsync(IndexScan index, CancellationToken cancellationToken)
    {
        long count = 0;
        foreach (var range in index.Values)
        {
            await foreach (var entries in EntriesAsync(index, range, cancellationToken).ConfigureAwait(false))
                count += entries.Count;
        }
        return count;
    }

    async ValueTask CollectKeysAsync(AccessPath path, HashSet<DocumentKey> keys, CancellationToken cancellationToken)
    {
        switch (path)
        {
            case KeyLookup lookup:
                keys.UnionWith(lookup.Keys);
                break;
            case UnionAccess union:
                foreach (var part in union.Paths)
                    await CollectKeysAsync(part, keys, cancellationToken).ConfigureAwait(false);
                break;
            case IndexScan index:
                foreach (var range in index.Values)
                {
                    await foreach (var entries in EntriesAsync(index, range, cancellationToken).ConfigureAwait(false))
                        keys.UnionWith(entries.Select(entry => entry.Key));
                }
                break;
            default:
                throw new InvalidOperationException($"The path '{path}' has no keys of its own.");
        }
    }

    async IAsyncEnumerable<IReadOnlyList<IndexEntry>> EntriesAsync(
        IndexScan index, KeyRange values, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        while (true)
        {
            var entries = await snapshot
                .ScanIndexAsync(keyspace, index.Index.Name, values, ScanDirection.Forward, LargestPage, cancellationToken)
                .ConfigureAwait(false);
            if (entries.Count == 0)
                yield break;
            yield return entries;
            values = values.After(entries[^1].Position);
        }
    }

    async ValueTask<List<FetchedDocument>> GetAsync(IReadOnlyList<IndexEntry> entries, CancellationToken cancellationToken)
    {
        var documents = new List<FetchedDocument>(entries.Count);
        foreach (var entry in entries)
        {
            if (await snapshot.GetAsync(keyspace, entry.Key, cancellationToken).ConfigureAwait(false) is { } document)
            {
                var value = entry.Position.IsEmpty ? default : entry.Position[..^entry.Key.Encoded.Length];
                documents.Add(new FetchedDocument(entry.Key, document, value));
            }
        }
        return documents;
    }
}
