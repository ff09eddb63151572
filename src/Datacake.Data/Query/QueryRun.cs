using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>An entity that a query found, and where it comes from.</summary>
readonly record struct QueryRow<T>(DocumentKey Key, Document Document, T Entity, ReadOnlyMemory<byte> IndexValue);

/// <summary>
/// A query for entities with its plan: captured variables have the values of now. Reads snapshots; knows nothing of contexts.
/// </summary>
sealed class QueryRun<T>
    where T : class
{
    readonly KeyspaceModel _keyspace;
    readonly EntityModel<T> _model;
    readonly QuerySpec<T> _spec;
    readonly IReadOnlyList<OrderingColumn> _columns;
    readonly Func<T, bool>[] _predicates;

    public QueryRun(KeyspaceModel keyspace, EntityModel<T> model, QuerySpec<T> spec)
    {
        _keyspace = keyspace;
        _model = model;
        _spec = spec;
        _columns = [.. spec.Orderings.Select(ordering => ordering.ToColumn())];
        _predicates = [.. spec.Predicates.Select(model.Expressions.Compile)];
        IReadOnlyList<IReadOnlyList<Condition>> alternatives = [[]];
        bool isExact = true;
        foreach (var predicate in spec.Predicates)
        {
            var extractor = new ConditionExtractor(model, predicate.Parameters[0]);
            alternatives = ConditionExtractor.And(alternatives, extractor.Extract(predicate.Body));
            isExact &= extractor.IsExact;
        }
        Alternatives = alternatives;
        Path = QueryPlanner.Plan(model, alternatives, _columns);
        IsAnsweredByPath = isExact && alternatives.Count <= 1 && Path.IsExact
            && alternatives.All(conditions => conditions.All(condition => Path.Conditions.Contains(condition)));
    }

    /// <summary>What the predicates say: alternatives of conditions.</summary>
    public IReadOnlyList<IReadOnlyList<Condition>> Alternatives { get; }

    public AccessPath Path { get; private set; }

    /// <summary>Whether the predicates are true of all that the path leads to, so that they need not be checked.</summary>
    public bool IsAnsweredByPath { get; private set; }

    /// <summary>How many documents were read.</summary>
    public long DocumentsRead { get; private set; }

    /// <summary>Whether the path gives the entities in the query's order, at least by its first key.</summary>
    public bool IsInOrder => _columns.Count == 0 || Path switch
    {
        IndexScan index => index.IsInOrder,
        KeyScan scan => QueryPlanner.KeyOrder(_model, _columns) == scan.Direction,
        _ => false,
    };

    /// <summary>Whether the predicates are true.</summary>
    public bool Matches(T entity)
    {
        foreach (var predicate in _predicates)
        {
            if (!predicate(entity))
                return false;
        }
        return true;
    }

    /// <summary>The results in their order, in batches that are never empty.</summary>
    public async IAsyncEnumerable<IReadOnlyList<QueryRow<T>>> ReadAsync(
        StoreSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_spec.Take == 0)
            yield break;
        FitTo(snapshot);
        var rows = FilterAsync(snapshot, cancellationToken);
        if (!IsInOrder)
            rows = SortAsync(rows);
        else if (Path is IndexScan { IsInOrder: true } index)
            rows = SortWithinAsync(rows, index.OrderedColumns);

        int skip = _spec.Skip, take = _spec.Take ?? int.MaxValue;
        await foreach (var batch in rows.ConfigureAwait(false))
        {
            if (skip >= batch.Count)
            {
                skip -= batch.Count;
                continue;
            }
            IReadOnlyList<QueryRow<T>> part = skip == 0 && take >= batch.Count ? batch : [.. batch.Skip(skip).Take(take)];
            skip = 0;
            take -= part.Count;
            yield return part;
            if (take == 0)
                yield break;
        }
    }

    /// <summary>How many results there are.</summary>
    public async ValueTask<long> CountAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        FitTo(snapshot);
        long count = 0;
        if (_spec.Predicates.Count == 0)
            count = (await snapshot.GetStatisticsAsync(_keyspace.Name, cancellationToken).ConfigureAwait(false)).Count;
        else if (Path is IndexScan index && IsAnsweredByPath)
            count = await new PathReader(snapshot, _keyspace.Name).CountAsync(index, cancellationToken).ConfigureAwait(false);
        else
        {
            await foreach (var batch in FilterAsync(snapshot, cancellationToken).ConfigureAwait(false))
                count += batch.Count;
        }
        return Math.Min(Math.Max(count - _spec.Skip, 0), _spec.Take ?? long.MaxValue);
    }

    /// <summary>While one of its indexes is being built, all documents are read instead.</summary>
    void FitTo(StoreSnapshot snapshot)
    {
        if (Path.Indexes.All(index => snapshot.HasIndex(_keyspace.Name, index.Name)))
            return;
        Path = QueryPlanner.Everything;
        IsAnsweredByPath = false;
    }

    /// <summary>The entities of the path for which the predicates are true, in its order.</summary>
    async IAsyncEnumerable<IReadOnlyList<QueryRow<T>>> FilterAsync(
        StoreSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        bool isChecked = _predicates.Length > 0 && !IsAnsweredByPath;
        int page = _spec.Take is { } take && !isChecked
            ? Math.Clamp(QuerySpec<T>.Sum(take, _spec.Skip), 1, PathReader.LargestPage)
            : PathReader.FirstPage;
        var reader = new PathReader(snapshot, _keyspace.Name);
        await foreach (var documents in reader.ReadAsync(Path, page, cancellationToken).ConfigureAwait(false))
        {
            DocumentsRead += documents.Count;
            var rows = new List<QueryRow<T>>(documents.Count);
            foreach (var (key, document, value) in documents)
            {
                var entity = _model.Read(key, document, _spec.Components);
                if (!isChecked || Matches(entity))
                    rows.Add(new QueryRow<T>(key, document, entity, value));
            }
            if (rows.Count > 0)
                yield return rows;
        }
    }

    async IAsyncEnumerable<IReadOnlyList<QueryRow<T>>> SortAsync(IAsyncEnumerable<IReadOnlyList<QueryRow<T>>> rows)
    {
        var all = new List<QueryRow<T>>();
        await foreach (var batch in rows.ConfigureAwait(false))
            all.AddRange(batch);
        // What will be cut off need not be sorted.
        var sorted = Ordering<T>.Sort(all, _spec.Orderings, static row => row.Entity);
        IReadOnlyList<QueryRow<T>> kept = _spec.Take is { } take ? [.. sorted.Take(QuerySpec<T>.Sum(_spec.Skip, take))] : [.. sorted];
        if (kept.Count > 0)
            yield return kept;
    }

    /// <summary>
    /// Sorts what is equal in the first keys: by the others, and in the end by the entities' keys, which a reversed scan brings in
    /// descending order. Values that the index cuts off alike count as equal.
    /// </summary>
    async IAsyncEnumerable<IReadOnlyList<QueryRow<T>>> SortWithinAsync(IAsyncEnumerable<IReadOnlyList<QueryRow<T>>> rows, int keys)
    {
        var group = new List<QueryRow<T>>();
        await foreach (var batch in rows.ConfigureAwait(false))
        {
            var ready = new List<QueryRow<T>>();
            foreach (var row in batch)
            {
                if (
                    group is [.., var last] && !_spec.Orderings.Take(keys).All(ordering => ordering.AreEqual(last.Entity, row.Entity))
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

    IEnumerable<QueryRow<T>> Sorted(List<QueryRow<T>> group) =>
        group.Count == 1 ? group : Ordering<T>.Sort(group.OrderBy(row => row.Key), _spec.Orderings, static row => row.Entity);
}
