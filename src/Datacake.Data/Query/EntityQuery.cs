using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Storage;

namespace Datacake.Data.Querying;

/// <summary>A query for entities of one keyspace, which a plan answers.</summary>
sealed class EntityQuery<T>(Keyspace<T> source) : OrderedQuery<T>
    where T : class
{
    const int FirstPage = 32, LargestPage = 512;

    IReadOnlyList<Expression<Func<T, bool>>> _predicates = [];
    IReadOnlyList<Ordering<T>> _orderings = [];
    int _skip;
    int? _take;
    bool _isTracking = true;

    public override Query<T> AsNoTracking() => With(query => query._isTracking = false);

    internal override Query<T> WhereCore(Expression<Func<T, bool>> predicate) =>
        IsCut ? base.WhereCore(predicate) : With(query => query._predicates = [.. _predicates, predicate]);

    // A projection of properties needs no tracked entity.
    internal override Query<TResult> SelectCore<TResult>(Expression<Func<T, TResult>> selector) =>
        _isTracking && !EntityUse.IsIn(selector)
            ? With(query => query._isTracking = false).SelectCore(selector)
            : base.SelectCore(selector);

    internal override OrderedQuery<T> OrderByCore(IReadOnlyList<Ordering<T>> orderings) =>
        IsCut ? base.OrderByCore(orderings) : With(query => query._orderings = orderings);

    internal override OrderedQuery<T> ThenByCore(Ordering<T> ordering) => IsCut
        ? throw new InvalidOperationException(
            "The query was cut off by Skip or Take and cannot be ordered further; call ThenBy before these.")
        : With(query => query._orderings = [.. _orderings, ordering]);

    internal override Query<T> SkipCore(int count) => _take is { } take
        ? With(query => (query._skip, query._take) = (Sum(_skip, Math.Min(count, take)), take - Math.Min(count, take)))
        : With(query => query._skip = Sum(_skip, count));

    internal override Query<T> TakeCore(int count) => With(query => query._take = Math.Min(_take ?? int.MaxValue, count));

    public override string Explain()
    {
        var path = Plan();
        var parts = new List<string> { $"{source.Name}: {path}" };
        if (_predicates.Count > 0)
            parts.Add($"check {string.Join(" and ", _predicates.Select(predicate => predicate.Body.ToString()))}");
        if (_orderings.Count > 0)
            parts.Add(
                $"order by {string.Join(", ", _orderings.Select(ordering => ordering.ToString()))}{(IsInOrder(path) ? "" : " in memory")}");
        if (_skip > 0)
            parts.Add($"skip {_skip}");
        if (_take is not null)
            parts.Add($"take {_take}");
        return string.Join("; ", parts);
    }

    internal override async IAsyncEnumerable<IReadOnlyList<T>> RunAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var batches = ExecuteAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        await using (batches.ConfigureAwait(false))
        {
            while (await MoveNextAsync(batches).ConfigureAwait(false))
                yield return batches.Current;
        }
    }

    internal override async ValueTask<long> CountCoreAsync(CancellationToken cancellationToken)
    {
        if (_predicates.Count > 0)
            return await base.CountCoreAsync(cancellationToken).ConfigureAwait(false);
        using var operation = source.Context.Concurrency.Enter();
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var statistics = await snapshot.GetStatisticsAsync(source.Name, cancellationToken).ConfigureAwait(false);
        return Math.Min(Math.Max(statistics.Count - _skip, 0), _take ?? long.MaxValue);
    }

    bool IsCut => _skip > 0 || _take is not null;

    static int Sum(int a, int b) => (int)Math.Min((long)a + b, int.MaxValue);

    EntityQuery<T> With(Action<EntityQuery<T>> change)
    {
        var copy = new EntityQuery<T>(source)
        {
            _predicates = _predicates,
            _orderings = _orderings,
            _skip = _skip,
            _take = _take,
            _isTracking = _isTracking,
        };
        change(copy);
        return copy;
    }

    /// <summary>The context is busy while a batch is being fetched, and free while the caller handles it.</summary>
    async ValueTask<bool> MoveNextAsync(IAsyncEnumerator<IReadOnlyList<T>> batches)
    {
        using var operation = source.Context.Concurrency.Enter();
        return await batches.MoveNextAsync().ConfigureAwait(false);
    }

    AccessPath Plan()
    {
        IReadOnlyList<IReadOnlyList<Condition>> alternatives = [[]];
        foreach (var predicate in _predicates)
        {
            var extracted = new ConditionExtractor(source.Model, predicate.Parameters[0]).Extract(predicate.Body);
            alternatives = ConditionExtractor.And(alternatives, extracted);
        }
        return QueryPlanner.Plan(source.Model, alternatives, [.. _orderings.Select(ordering => ordering.ToColumn())]);
    }

    /// <summary>Whether the path gives the entities in the query's order, at least by its first key.</summary>
    bool IsInOrder(AccessPath path) => _orderings.Count == 0 || path switch
    {
        IndexScan index => index.IsInOrder,
        KeyScan scan => QueryPlanner.KeyOrder(source.Model, [.. _orderings.Select(ordering => ordering.ToColumn())]) == scan.Direction,
        _ => false,
    };

    async IAsyncEnumerable<IReadOnlyList<T>> ExecuteAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_take == 0)
            yield break;
        var path = Plan();
        var store = await source.Context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        if (!path.Indexes.All(index => snapshot.HasIndex(source.Name, index.Name)))
            path = new KeyScan(KeyRange.All, ScanDirection.Forward);        // while one of them is being built

        var rows = ReadAsync(snapshot, path, cancellationToken);
        if (!IsInOrder(path))
            rows = SortAsync(rows);
        else if (path is IndexScan { IsInOrder: true })
            rows = SortWithinAsync(rows);

        int skip = _skip, take = _take ?? int.MaxValue;
        await foreach (var batch in rows.ConfigureAwait(false))
        {
            var part = batch.Skip(skip).Take(take);
            var results = new List<T>(batch.Count);
            foreach (var row in part)
                results.Add(
                    _isTracking ? source.Context.ChangeTracker.TrackRead(source.Metadata, row.Key, row.Document, row.Entity) : row.Entity);
            skip -= Math.Min(skip, batch.Count);
            take -= results.Count;
            if (results.Count > 0)
                yield return results;
            if (take == 0)
                yield break;
        }
    }

    /// <summary>The entities of a path for which the predicates are true, in its order.</summary>
    async IAsyncEnumerable<IReadOnlyList<Row>> ReadAsync(
        StoreSnapshot snapshot, AccessPath path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var predicates = _predicates.Select(predicate => predicate.Compile()).ToArray();
        await foreach (var documents in FetchAsync(snapshot, path, cancellationToken).ConfigureAwait(false))
        {
            var rows = new List<Row>(documents.Count);
            foreach (var (key, document, position) in documents)
            {
                var entity = source.Model.Read(key, document);
                if (Array.TrueForAll(predicates, predicate => predicate(entity)))
                    rows.Add(new Row(key, document, entity, position));
            }
            if (rows.Count > 0)
                yield return rows;
        }
    }

    async IAsyncEnumerable<List<(DocumentKey Key, Document Document, ReadOnlyMemory<byte> Value)>> FetchAsync(
        StoreSnapshot snapshot, AccessPath path, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int page = _take is { } take && _predicates.Count == 0 ? Math.Clamp(Sum(take, _skip), 1, LargestPage) : FirstPage;
        switch (path)
        {
            case KeyScan scan:
                for (var range = scan.Keys; ; page = Math.Min(page * 2, LargestPage))
                {
                    var documents = await snapshot
                        .ScanAsync(source.Name, range, scan.Direction, page, cancellationToken).ConfigureAwait(false);
                    if (documents.Count == 0)
                        yield break;
                    yield return [.. documents.Select(document => (document.Key, document.Document, ReadOnlyMemory<byte>.Empty))];
                    var last = documents[^1].Key.Encoded;
                    range = scan.Direction == ScanDirection.Forward ? range.After(last) : range.Before(last);
                }

            case IndexScan { IsInOrder: true, Values: [var values] } index:
                for (; ; page = Math.Min(page * 2, LargestPage))
                {
                    var entries = await snapshot
                        .ScanIndexAsync(source.Name, index.Index.Name, values, index.Direction, page, cancellationToken).ConfigureAwait(false);
                    if (entries.Count == 0)
                        yield break;
                    yield return await GetAsync(snapshot, entries, cancellationToken).ConfigureAwait(false);
                    var last = entries[^1].Position;
                    values = index.Direction == ScanDirection.Forward ? values.After(last) : values.Before(last);
                }

            case not NoAccess:
                var keys = new HashSet<DocumentKey>();
                await CollectKeysAsync(snapshot, path, keys, cancellationToken).ConfigureAwait(false);
                // In the order of the keys, whatever the path: so that results without an order come in the same one, on every node and
                // with every plan.
                var ordered = keys.Order().Select(key => new IndexEntry(default, key)).ToList();
                for (int start = 0; start < ordered.Count; start += page, page = Math.Min(page * 2, LargestPage))
                {
                    var part = ordered[start..Math.Min(start + page, ordered.Count)];
                    yield return await GetAsync(snapshot, part, cancellationToken).ConfigureAwait(false);
                }
                break;
        }
    }

    async ValueTask CollectKeysAsync(
        StoreSnapshot snapshot, AccessPath path, HashSet<DocumentKey> keys, CancellationToken cancellationToken)
    {
        switch (path)
        {
            case KeyLookup lookup:
                keys.UnionWith(lookup.Keys);
                break;
            case UnionAccess union:
                foreach (var part in union.Paths)
                    await CollectKeysAsync(snapshot, part, keys, cancellationToken).ConfigureAwait(false);
                break;
            case IndexScan index:
                foreach (var range in index.Values)
                {
                    var values = range;
                    while (true)
                    {
                        var entries = await snapshot
                            .ScanIndexAsync(source.Name, index.Index.Name, values, ScanDirection.Forward, LargestPage, cancellationToken)
                            .ConfigureAwait(false);
                        if (entries.Count == 0)
                            break;
                        keys.UnionWith(entries.Select(entry => entry.Key));
                        values = values.After(entries[^1].Position);
                    }
                }
                break;
            default:
                throw new InvalidOperationException($"The path '{path}' has no keys of its own.");
        }
    }

    async ValueTask<List<(DocumentKey, Document, ReadOnlyMemory<byte>)>> GetAsync(
        StoreSnapshot snapshot, IReadOnlyList<IndexEntry> entries, CancellationToken cancellationToken)
    {
        var documents = new List<(DocumentKey, Document, ReadOnlyMemory<byte>)>(entries.Count);
        foreach (var entry in entries)
        {
            if (await snapshot.GetAsync(source.Name, entry.Key, cancellationToken).ConfigureAwait(false) is { } document)
                documents.Add((entry.Key, document, entry.Position.IsEmpty ? default : entry.Position[..^entry.Key.Encoded.Length]));
        }
        return documents;
    }

    async IAsyncEnumerable<IReadOnlyList<Row>> SortAsync(IAsyncEnumerable<IReadOnlyList<Row>> rows)
    {
        var all = new List<Row>();
        await foreach (var batch in rows.ConfigureAwait(false))
            all.AddRange(batch);
        // What will be cut off need not be sorted.
        var sorted = Ordering<T>.Sort(all, _orderings, static row => row.Entity);
        yield return _take is { } take ? [.. sorted.Take(Sum(_skip, take))] : [.. sorted];
    }

    /// <summary>
    /// Sorts what is equal in the first key: by the others, and in the end by the entities' keys, which a reversed scan brings in
    /// descending order. Values that the index cuts off alike count as equal.
    /// </summary>
    async IAsyncEnumerable<IReadOnlyList<Row>> SortWithinAsync(IAsyncEnumerable<IReadOnlyList<Row>> rows)
    {
        var group = new List<Row>();
        await foreach (var batch in rows.ConfigureAwait(false))
        {
            var ready = new List<Row>();
            foreach (var row in batch)
            {
                if (
                    group is [.., var last] && !_orderings[0].AreEqual(last.Entity, row.Entity)
                        && !last.IndexValue.Span.SequenceEqual(row.IndexValue.Span))
                {
                    ready.AddRange(Sorted(group));
                    group.Clear();
                }
                group.Add(row);
            }
            if (ready.Count > 0)
                yield return ready;
        }
        if (group.Count > 0)
            yield return [.. Sorted(group)];
    }

    IEnumerable<Row> Sorted(List<Row> group) =>
        group.Count == 1 ? group : Ordering<T>.Sort(group.OrderBy(row => row.Key), _orderings, static row => row.Entity);

    readonly record struct Row(DocumentKey Key, Document Document, T Entity, ReadOnlyMemory<byte> IndexValue);
}
