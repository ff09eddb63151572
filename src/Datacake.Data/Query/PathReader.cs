using Datacake.EventualConsistency;
using Datacake.Storage;

namespace Datacake.Data.Querying;

/// <summary>Reads the documents that a path leads to, from one snapshot, in pages that grow.</summary>
sealed class PathReader(StoreSnapshot snapshot, string keyspace, AccessPath path, int page) : IDisposable
{
    public const int FirstPage = 32, LargestPage = 512;

    readonly IndexPage _index = new();
    KeyRange? _rest;                    // what is left of a scan; null before its first page
    ArraySegment<DocumentKey>? _keys;   // what is left of the documents that are read by key; null before the first page
    int _indexAt;
    int _page = page;

    /// <summary>The documents that <see cref="MoveNextAsync"/> came to.</summary>
    public DocumentPage Page { get; } = new();

    /// <summary>Goes to the next page.</summary>
    public ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken) => path switch
    {
        NoAccess => new(false),
        KeyScan scan => ScanAsync(scan, cancellationToken),
        IndexScan { IsInOrder: true, Values: [_] } index => ScanAsync(index, cancellationToken),
        _ => GetAsync(cancellationToken),
    };

    /// <summary>
    /// The index's value under which a document of the page was found, if the path has the index's order. To be asked for in the order of the
    /// documents.
    /// </summary>
    public ReadOnlySpan<byte> IndexValueOf(ReadOnlySpan<byte> key)
    {
        for (; _indexAt < _index.Count; _indexAt++)
        {
            if (_index.KeyOf(_indexAt).SequenceEqual(key))
                return _index.ValueOf(_indexAt);
        }
        return default;
    }

    public void Dispose()
    {
        Page.Dispose();
        _index.Dispose();
    }

    /// <summary>How many entries the ranges of an index have.</summary>
    public static async ValueTask<long> CountAsync(
        StoreSnapshot snapshot, string keyspace, IndexScan index, CancellationToken cancellationToken)
    {
        long count = 0;
        using var page = new IndexPage();
        foreach (var range in index.Values)
        {
            for (var rest = range; ;)
            {
                var last = await snapshot
                    .ScanIndexAsync(keyspace, index.Index.Name, rest, ScanDirection.Forward, LargestPage, page, cancellationToken)
                    .ConfigureAwait(false);
                if (page.Count == 0)
                    break;
                count += page.Count;
                rest = rest.After(last);
            }
        }
        return count;
    }

    async ValueTask<bool> ScanAsync(KeyScan scan, CancellationToken cancellationToken)
    {
        var range = _rest ?? scan.Keys;
        var last = await snapshot.ScanAsync(keyspace, range, scan.Direction, TakePage(), Page, cancellationToken).ConfigureAwait(false);
        if (Page.IsEmpty)
            return false;
        _rest = scan.Direction == ScanDirection.Forward ? range.After(last) : range.Before(last);
        return true;
    }

    async ValueTask<bool> ScanAsync(IndexScan scan, CancellationToken cancellationToken)
    {
        var range = _rest ?? scan.Values[0];
        var last = await snapshot
            .ScanIndexAsync(keyspace, scan.Index.Name, range, scan.Direction, TakePage(), _index, cancellationToken).ConfigureAwait(false);
        if (_index.Count == 0)
            return false;
        _indexAt = 0;
        var keys = new KeyList();
        keys.Add(_index);
        await snapshot.GetManyAsync(keyspace, keys.ToSegment(), Page, cancellationToken).ConfigureAwait(false);
        _rest = scan.Direction == ScanDirection.Forward ? range.After(last) : range.Before(last);
        return true;
    }

    async ValueTask<bool> GetAsync(CancellationToken cancellationToken)
    {
        if (_keys is null)
        {
            var keys = new KeyList();
            await CollectKeysAsync(path, keys, cancellationToken).ConfigureAwait(false);
            // In the order of the keys, whatever the path: so that results without an order come in the same one, on every node and with
            // every plan.
            _keys = keys.ToAscending();
        }
        var rest = _keys.Value;
        if (rest.Count == 0)
            return false;
        int count = Math.Min(TakePage(), rest.Count);
        await snapshot.GetManyAsync(keyspace, rest[..count], Page, cancellationToken).ConfigureAwait(false);
        _keys = rest[count..];
        return true;
    }

    async ValueTask CollectKeysAsync(AccessPath from, KeyList keys, CancellationToken cancellationToken)
    {
        switch (from)
        {
            case KeyLookup lookup:
                foreach (var key in lookup.Keys)
                    keys.Add(key);
                break;
            case UnionAccess union:
                foreach (var part in union.Paths)
                    await CollectKeysAsync(part, keys, cancellationToken).ConfigureAwait(false);
                break;
            case IndexScan index:
                foreach (var range in index.Values)
                {
                    for (var rest = range; ;)
                    {
                        var last = await snapshot
                            .ScanIndexAsync(keyspace, index.Index.Name, rest, ScanDirection.Forward, LargestPage, _index, cancellationToken)
                            .ConfigureAwait(false);
                        if (_index.Count == 0)
                            break;
                        keys.Add(_index);
                        rest = rest.After(last);
                    }
                }
                break;
            default:
                throw new InvalidOperationException($"The path '{from}' has no keys of its own.");
        }
    }

    int TakePage()
    {
        int page = _page;
        _page = Math.Min(page * 2, LargestPage);
        return page;
    }
}
