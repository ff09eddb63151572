using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Querying.Planning;

/// <summary>A reader of the documents that an access path leads to. It reads one snapshot, in pages of growing size.</summary>
sealed partial class PathReader(StoreSnapshot snapshot, string keyspace, AccessPath path, int page) : IAsyncDisposable
{
    public const int FirstPage = 32, LargestPage = 512;

    readonly IndexPage _index = new();
    bool? _isScanCheaper = LookupCountOf(path) > KeyLookups.MinCountToCompare ? null : false;     // null until it is decided
    int _range;                         // the number of ranges that are completely scanned
    KeyRange? _rest = path is IndexScan { HasGroup: true } split ? split.Values[split.Direction == ScanDirection.Forward ? 1 : 0] : null;      // the rest of the current range; null before its first page
    ArraySegment<DocumentKey>? _keys;   // the keys of the documents still to read; null before the first page
    readonly List<int> _order = [];     // the entries of the index page whose documents are read, in their order
    int _indexAt;
    int _page = page;

    // A path has one direction.
    readonly PagesAhead<DocumentPage> _pages = new((range, length, into, cancellationToken) =>
        snapshot.ScanAsync(keyspace, range, path is KeyScan { Direction: ScanDirection.Reverse } ? ScanDirection.Reverse : ScanDirection.Forward, length, into, cancellationToken));

    /// <summary>Gets the page that <see cref="MoveNextAsync"/> has read.</summary>
    public DocumentPage Page => _pages.Page;

    /// <summary>
    /// Gets the number of documents at the start of the path that may be left out. They are not read if an index has their keys. The caller
    /// has made sure that the path leads to nothing but results, and that no document has expired.
    /// </summary>
    public int Skip { get; init; }

    /// <summary>True if the documents may come in any order.</summary>
    public bool IsUnordered { get; init; }

    /// <summary>True if the index has the place of every entry, because it cuts no value off.</summary>
    public bool HasPlaces { get; init; }

    /// <summary>Gets the number of documents that were left out. Once a page was read, it is final.</summary>
    public int Skipped { get; private set; }

    /// <summary>Reads the next page, and returns false if there is none.</summary>
    public ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken) => path switch
    {
        NoAccess => new(false),
        KeyScan or KeyLookup when _isScanCheaper is null => DecideAsync(cancellationToken),
        KeyScan scan => ScanAsync(_isScanCheaper == true ? [KeyLookups.EnclosingRange(scan.Keys)] : scan.Keys, scan.Direction, cancellationToken),
        KeyLookup lookup when _isScanCheaper == true => ScanAsync([KeyLookups.EnclosingRange(lookup.Keys)], ScanDirection.Forward, cancellationToken),
        IndexScan { TieOrder: { } tie } index when tie != index.Direction && (index.HasGroup || index.Values is [_]) => ScanAsync(index, cancellationToken),
        IndexScan { Values: [_] } index when index.IsInOrder || index.IsInKeyOrder || (IsUnordered && index.HasEachOnce) => ScanAsync(index, cancellationToken),
        _ => GetAsync(cancellationToken),
    };

    /// <summary>Returns the keys that a path of indexes leads to, in ascending order, without reading their documents.</summary>
    public async ValueTask<IReadOnlyList<DocumentKey>> ReadKeysAsync(CancellationToken cancellationToken)
    {
        var keys = new KeyList();
        await CollectKeysAsync(path, keys, cancellationToken).ConfigureAwait(false);
        return keys.ToAscending();
    }

    /// <summary>Returns true if the path leads to a document of the page. A scan of a whole range reads other documents as well.</summary>
    public bool IsSought(ReadOnlySpan<byte> key) => _isScanCheaper != true || path switch
    {
        KeyScan scan => KeyLookups.Contain(scan.Keys, key),
        KeyLookup lookup => KeyLookups.Contain(lookup.Keys, key),
        _ => true,
    };

    /// <summary>
    /// Returns the index value under which a document of the page was found, if the path is in the order of the index. Must be called in
    /// the order of the documents.
    /// </summary>
    public ReadOnlySpan<byte> IndexValueOf(ReadOnlySpan<byte> key)
    {
        for (; _indexAt < _order.Count; _indexAt++)
        {
            if (_index.KeyOf(_order[_indexAt]).SequenceEqual(key))
                return _index.ValueOf(_order[_indexAt]);
        }
        return default;
    }

    public ValueTask DisposeAsync()
    {
        _index.Dispose();
        return _pages.DisposeAsync();
    }

    /// <summary>Returns the number of documents in the ranges of an index.</summary>
    public static async ValueTask<long> CountAsync(
        StoreSnapshot snapshot, string keyspace, IndexScan index, CancellationToken cancellationToken)
    {
        long count = 0;
        // What is counted is not observed.
        if (snapshot.Observer is null && index.HasEachOnce && index.Values.Count <= KeyLookups.MinCountToCompare)
        {
            foreach (var range in index.Values)
                count += await snapshot.CountIndexAsync(keyspace, index.Index.Name, range, cancellationToken).ConfigureAwait(false);
            return count;
        }
        using var page = new IndexPage();
        if (!index.HasEachOnce)
        {
            var keys = new KeyList();
            await ScanAsync(snapshot, keyspace, index, page, isSought => keys.Add(page, isSought), cancellationToken).ConfigureAwait(false);
            return keys.ToAscending().Count;
        }
        await ScanAsync(snapshot, keyspace, index, page, isSought =>
        {
            for (int i = 0; i < page.Count; i++)
                count += isSought(i) ? 1 : 0;
        }, cancellationToken).ConfigureAwait(false);
        return count;
    }

    /// <summary>
    /// Scans ranges of an index in pages. The callback gets a predicate that selects the entries of a page that belong to the ranges.
    /// </summary>
    static async ValueTask ScanAsync(
        StoreSnapshot snapshot, string keyspace, IndexScan index, IndexPage page, Action<Predicate<int>> take, CancellationToken cancellationToken)
    {
        bool isScanCheaper = await KeyLookups.IsScanCheaperAsync(snapshot, keyspace, index.Values.Count, cancellationToken).ConfigureAwait(false);
        Predicate<int> isSought = isScanCheaper ? entry => KeyLookups.Contain(index.Values, page.PositionOf(entry)) : static _ => true;
        foreach (var range in isScanCheaper ? [KeyLookups.EnclosingRange(index.Values)] : index.Values)
        {
            for (var rest = range; ;)
            {
                var last = await snapshot
                    .ScanIndexAsync(keyspace, index.Index.Name, rest, ScanDirection.Forward, LargestPage, page, cancellationToken)
                    .ConfigureAwait(false);
                if (page.Count == 0)
                    break;
                take(isSought);
                rest = rest.After(last);
            }
        }
    }

    static int LookupCountOf(AccessPath path) => path switch
    {
        KeyScan scan => scan.Keys.Count,
        KeyLookup lookup => lookup.Keys.Count,
        _ => 0,
    };

    async ValueTask<bool> DecideAsync(CancellationToken cancellationToken)
    {
        _isScanCheaper = await KeyLookups.IsScanCheaperAsync(snapshot, keyspace, LookupCountOf(path), cancellationToken).ConfigureAwait(false);
        return await MoveNextAsync(cancellationToken).ConfigureAwait(false);
    }

    async ValueTask<bool> ScanAsync(IReadOnlyList<KeyRange> ranges, ScanDirection direction, CancellationToken cancellationToken)
    {
        for (; _range < ranges.Count; _range++)
        {
            var range = _rest ?? ranges[direction == ScanDirection.Forward ? _range : ranges.Count - 1 - _range];
            int length = TakePage();
            var last = await _pages.ReadAsync(range, length, cancellationToken).ConfigureAwait(false);
            if (!Page.IsEmpty)
            {
                var rest = direction == ScanDirection.Forward ? range.After(last) : range.Before(last);
                _rest = rest;
                // An observer is called by one thread at a time.
                if (length == LargestPage && snapshot.Observer is null)
                    _pages.ReadAhead(rest, LargestPage, cancellationToken);
                return true;
            }
            _rest = null;
        }
        return false;
    }

    async ValueTask<bool> GetAsync(CancellationToken cancellationToken)
    {
        if (_keys is null)
        {
            var keys = new KeyList();
            await CollectKeysAsync(path, keys, cancellationToken).ConfigureAwait(false);
            // The documents are read in the order of their keys, whatever the path. Unordered results therefore come in the same order on
            // every node and with every plan.
            var all = keys.ToAscending();
            Skipped = path is IndexScan ? Math.Min(Skip, all.Count) : 0;
            _keys = all[Skipped..];
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
                await ScanAsync(snapshot, keyspace, index, _index, isSought => keys.Add(_index, isSought), cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw new InvalidOperationException($"The access path '{from}' does not provide keys.");
        }
    }

    int TakePage()
    {
        int page = _page;
        _page = Math.Min(page * 2, LargestPage);
        return page;
    }
}
