using System.Linq.Expressions;
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
    readonly List<Conjunct> _conjuncts = [];

    // Compiled when they are first needed: an index often answers them.
    Func<T, bool>[]? _predicates;
    Func<T, bool>[]? _checks;

    public QueryRun(KeyspaceModel keyspace, EntityModel<T> model, QuerySpec<T> spec)
    {
        _keyspace = keyspace;
        _model = model;
        _spec = spec;
        var columns = new OrderingColumn[spec.Orderings.Count];
        for (int i = 0; i < columns.Length; i++)
            columns[i] = spec.Orderings[i].ToColumn();
        Columns = columns;
        foreach (var predicate in spec.Predicates)
            Extract(predicate, predicate.Body, new ConditionExtractor(model, predicate.Parameters[0]));
        Path = model.Plans.Plan(model, Alternatives, Columns);
        Checked = FindChecked();
    }

    /// <summary>What is ordered by, the first one first.</summary>
    public IReadOnlyList<OrderingColumn> Columns { get; }

    /// <summary>What the predicates say: alternatives of conditions.</summary>
    public IReadOnlyList<IReadOnlyList<Condition>> Alternatives { get; private set; } = [[]];

    public AccessPath Path { get; private set; }

    /// <summary>What of the predicates has to be checked of each entity, since it may not be true of all that the path leads to.</summary>
    public IReadOnlyList<Expression<Func<T, bool>>> Checked { get; private set; }

    /// <summary>How many documents were read.</summary>
    public long DocumentsRead { get; private set; }

    /// <summary>Whether the path gives the entities in the query's order, at least by its first key.</summary>
    public bool IsInOrder => Columns.Count == 0 || Path switch
    {
        IndexScan index => index.IsInOrder,
        KeyScan scan => QueryPlanner.KeyOrder(_model, Columns) == scan.Direction,
        _ => false,
    };

    /// <summary>Whether the predicates are true.</summary>
    public bool Matches(T entity) => AreTrue(_predicates ??= [.. _spec.Predicates.Select(_model.Expressions.Compile)], entity);

    /// <summary>The results in their order, in batches that are never empty.</summary>
    public IAsyncEnumerable<List<QueryRow<T>>> ReadAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        FitTo(snapshot);
        return IsInKeptOrder ? FilterAsync(snapshot, RowOf, cancellationToken) : SortAsync(snapshot, cancellationToken);
    }

    /// <summary>The same, without what is known of the entities besides; each batch is the caller's.</summary>
    public IAsyncEnumerable<List<T>> ReadEntitiesAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        FitTo(snapshot);
        return IsInKeptOrder
            ? FilterAsync(snapshot, static (_, entity, _) => entity, cancellationToken)
            : EntitiesOf(SortAsync(snapshot, cancellationToken));

        static async IAsyncEnumerable<List<T>> EntitiesOf(IAsyncEnumerable<List<QueryRow<T>>> rows)
        {
            await foreach (var batch in rows.ConfigureAwait(false))
                yield return batch.ConvertAll(static row => row.Entity);
        }
    }

    /// <summary>How many results there are.</summary>
    public async ValueTask<long> CountAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        FitTo(snapshot);
        long count = 0;
        if (_spec.Predicates.Count == 0 && !_spec.SkipsUnreadable)
            count = (await snapshot.GetStatisticsAsync(_keyspace.Name, cancellationToken).ConfigureAwait(false)).Count;
        else if (Path is IndexScan index && Checked.Count == 0 && !_spec.SkipsUnreadable)
            count = await PathReader.CountAsync(snapshot, _keyspace.Name, index, cancellationToken).ConfigureAwait(false);
        else
        {
            await foreach (var batch in FilterAsync(snapshot, static (_, _, _) => true, cancellationToken).ConfigureAwait(false))
                count += batch.Count;
            if (IsInKeptOrder)
                return count;
        }
        return Math.Min(Math.Max(count - _spec.Skip, 0), _spec.Take ?? long.MaxValue);
    }

    /// <summary>While one of its indexes is being built, all documents are read instead.</summary>
    void FitTo(StoreSnapshot snapshot)
    {
        if (Path.Indexes.All(index => snapshot.HasIndex(_keyspace.Name, index.Name)))
            return;
        Path = QueryPlanner.Everything;
        Checked = FindChecked();
    }

    /// <summary>Takes a predicate, or a part of one, apart.</summary>
    void Extract(Expression<Func<T, bool>> predicate, Expression part, ConditionExtractor extractor)
    {
        if (part is BinaryExpression { NodeType: ExpressionType.AndAlso } both)
        {
            Extract(predicate, both.Left, extractor);
            Extract(predicate, both.Right, extractor);
            return;
        }
        var alternatives = extractor.Extract(part, out bool isExact);
        Alternatives = ConditionExtractor.And(Alternatives, alternatives);
        _conjuncts.Add(new Conjunct(predicate, part, isExact && alternatives is [var conditions] ? conditions : null));
    }

    IReadOnlyList<Expression<Func<T, bool>>> FindChecked()
    {
        _checks = null;
        if (Path is NoAccess || _conjuncts.TrueForAll(IsAnswered))
            return [];
        if (Path.Conditions.Count == 0)
            return _spec.Predicates;
        return [.. _conjuncts.GroupBy(part => part.Predicate).SelectMany(parts => parts.Any(IsAnswered) ? Rest(parts) : [parts.Key])];

        IEnumerable<Expression<Func<T, bool>>> Rest(IGrouping<Expression<Func<T, bool>>, Conjunct> parts)
        {
            var rest = parts.Where(part => !IsAnswered(part)).Select(part => part.Body).ToList();
            return rest.Count == 0 ? [] : [Expression.Lambda<Func<T, bool>>(rest.Aggregate(Expression.AndAlso), parts.Key.Parameters)];
        }
    }

    /// <summary>Whether a part of a predicate is true of all that the path leads to.</summary>
    bool IsAnswered(Conjunct part) => Path.IsExact && part.Conditions is { } conditions && conditions.All(Path.Conditions.Contains);

    static bool AreTrue(Func<T, bool>[] predicates, T entity)
    {
        foreach (var predicate in predicates)
        {
            if (!predicate(entity))
                return false;
        }
        return true;
    }

    /// <summary>Whether the entities come from the path just in the query's order.</summary>
    bool IsInKeptOrder => IsInOrder && Path is not IndexScan { IsInOrder: true };

    static QueryRow<T> RowOf(DocumentPageEntry document, T entity, ReadOnlySpan<byte> indexValue) => new(
        new DocumentKey(document.EncodedKey.ToArray()), Document.Parse(document.Document.Encoded.ToArray()), entity, indexValue.ToArray());

    /// <summary>
    /// The entities of the path for which the predicates are true, in its order; as many as are asked for, if that is the query's order.
    /// </summary>
    async IAsyncEnumerable<List<TRow>> FilterAsync<TRow>(
        StoreSnapshot snapshot, RowFactory<TRow> rowOf, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int skip = IsInKeptOrder ? _spec.Skip : 0, take = IsInKeptOrder ? _spec.Take ?? int.MaxValue : int.MaxValue;
        if (_spec.Take == 0)
            yield break;
        bool isChecked = Checked.Count > 0;
        int page = _spec.Take is { } wanted && !isChecked
            ? Math.Clamp(QuerySpec<T>.Sum(wanted, _spec.Skip), 1, PathReader.LargestPage)
            : PathReader.FirstPage;
        using var reader = new PathReader(snapshot, _keyspace.Name, Path, page);
        while (take > 0 && await reader.MoveNextAsync(cancellationToken).ConfigureAwait(false))
        {
            var rows = new List<TRow>(Math.Min(take, reader.Page.MaxCount));
            Read(reader, isChecked, rowOf, ref skip, take, rows);
            take -= rows.Count;
            if (rows.Count > 0)
                yield return rows;
        }
    }

    /// <summary>Makes rows of a page.</summary>
    void Read<TRow>(PathReader reader, bool isChecked, RowFactory<TRow> rowOf, ref int skip, int take, List<TRow> rows)
    {
        foreach (var document in reader.Page)
        {
            DocumentsRead++;
            if (!reader.IsSought(document.EncodedKey))
                continue;
            // What is skipped unseen need not be an entity.
            if (!isChecked && skip > 0 && !_spec.SkipsUnreadable)
            {
                skip--;
                continue;
            }
            var entity = _spec.SkipsUnreadable ? ReadIfReadable(document) : _model.Read(document.EncodedKey, document.Document, _spec.Components);
            if (entity is null)
                continue;
            if (isChecked && !AreTrue(_checks ??= [.. Checked.Select(_model.Expressions.Compile)], entity))
                continue;
            if (skip > 0)
            {
                skip--;
                continue;
            }
            rows.Add(rowOf(document, entity, reader.IndexValueOf(document.EncodedKey)));
            if (rows.Count == take)
                break;
        }
    }

    /// <summary>Returns an entity, or null if it cannot be read.</summary>
    T? ReadIfReadable(DocumentPageEntry document)
    {
        try
        {
            return _model.Read(document.EncodedKey, document.Document, _spec.Components);
        }
        catch (UnreadableEntityException)
        {
            return null;
        }
    }

    delegate TRow RowFactory<TRow>(DocumentPageEntry document, T entity, ReadOnlySpan<byte> indexValue);

    /// <summary>The results in their order, which is not that of the path.</summary>
    async IAsyncEnumerable<List<QueryRow<T>>> SortAsync(StoreSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var rows = FilterAsync(snapshot, RowOf, cancellationToken);
        rows = Path is IndexScan { IsInOrder: true } index ? SortWithinAsync(rows, index.OrderedColumns) : SortAsync(rows);
        int skip = _spec.Skip, take = _spec.Take ?? int.MaxValue;
        await foreach (var batch in rows.ConfigureAwait(false))
        {
            if (skip >= batch.Count)
            {
                skip -= batch.Count;
                continue;
            }
            List<QueryRow<T>> part = skip == 0 && take >= batch.Count ? batch : [.. batch.Skip(skip).Take(take)];
            skip = 0;
            take -= part.Count;
            yield return part;
            if (take == 0)
                yield break;
        }
    }

    async IAsyncEnumerable<List<QueryRow<T>>> SortAsync(IAsyncEnumerable<List<QueryRow<T>>> rows)
    {
        var all = new List<QueryRow<T>>();
        await foreach (var batch in rows.ConfigureAwait(false))
            all.AddRange(batch);
        // What will be cut off need not be sorted.
        var sorted = Ordering<T>.Sort(all, _spec.Orderings, static row => row.Entity);
        List<QueryRow<T>> kept = _spec.Take is { } take ? [.. sorted.Take(QuerySpec<T>.Sum(_spec.Skip, take))] : [.. sorted];
        if (kept.Count > 0)
            yield return kept;
    }

    /// <summary>
    /// Sorts what is equal in the first keys: by the others, and in the end by the entities' keys, which a reversed scan brings in
    /// descending order. Values that the index cuts off alike count as equal.
    /// </summary>
    async IAsyncEnumerable<List<QueryRow<T>>> SortWithinAsync(IAsyncEnumerable<List<QueryRow<T>>> rows, int keys)
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

    /// <summary>One of the parts of a predicate that all have to be true.</summary>
    /// <param name="Predicate">The predicate.</param>
    /// <param name="Body">The part.</param>
    /// <param name="Conditions">Conditions that say just what it does; null if there are none.</param>
    sealed record Conjunct(Expression<Func<T, bool>> Predicate, Expression Body, IReadOnlyList<Condition>? Conditions);
}
