using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Crdt;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Planning;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Querying;

/// <summary>An entity that a query found, with its key, its document, and the index value under which it was found.</summary>
readonly record struct QueryRow<T>(DocumentKey Key, Document Document, T Entity, ReadOnlyMemory<byte> IndexValue);

/// <summary>
/// A run of a query for entities: its plan, with the current values of captured variables. It reads snapshots and does not depend on a
/// context.
/// </summary>
sealed partial class QueryRun<T>
    where T : class
{
    readonly KeyspaceModel _keyspace;
    readonly EntityModel<T> _model;
    readonly QuerySpec<T> _spec;
    readonly IReadOnlyList<Expression<Func<T, bool>>> _predicates;
    readonly List<Conjunct> _conjuncts = [];
    readonly AccessPath _planned;
    AccessPath _fitted;     // the path before it was limited to the boundaries
    bool _isFixed;

    // Compiled on first use, because an index often answers the predicates.
    Func<T, bool>[]? _compiled;
    Func<T, bool>[]? _checks;

    public QueryRun(KeyspaceModel keyspace, EntityModel<T> model, QuerySpec<T> spec)
    {
        _keyspace = keyspace;
        _model = model;
        _spec = spec;
        (_ofPredicates, _ofOrderings) = (new RelatedNode(model), new RelatedNode(model));
        var columns = new OrderingColumn[spec.Orderings.Count];
        for (int i = 0; i < columns.Length; i++)
            columns[i] = spec.Orderings[i].ToColumn();
        Columns = columns;
        _predicates = [.. spec.Predicates.Select(predicate => RunConstantRewriter.Evaluate(StoredEqualityNormalizer.Normalize(predicate, model, context: null), model.Expressions))];
        foreach (var predicate in _predicates)
            Extract(predicate, predicate.Body, new ConditionExtractor(model, predicate.Parameters[0]));
        foreach (var predicate in spec.RelatedPredicates.Select(predicate => RunConstantRewriter.Evaluate(StoredEqualityNormalizer.Normalize(predicate, model, context: null), model.Expressions)))
            Alternatives = ConditionExtractor.And(Alternatives, new ConditionExtractor(model, predicate.Parameters[0]).ExtractForeignKeys(predicate.Body));
        _planned = Directed(model.Plans.Plan(model, Alternatives, Columns));
        Use(_planned);
        _relatedPredicates = [.. spec.RelatedPredicates.Select(predicate => model.Expressions.Compile(NavigationBinder.BindCondition(_ofPredicates, predicate)))];
        _orderings = spec.Orderings.Any(ordering => NavigationBinder.IsUsedIn(model, ordering.KeySelector))
            ? [.. spec.Orderings.SelectMany(ordering => ordering.Bind(_ofOrderings))]
            : spec.Orderings;
    }

    /// <summary>Gets the columns of the orderings, from the first to the last.</summary>
    public IReadOnlyList<OrderingColumn> Columns { get; }

    /// <summary>Gets the conditions of the predicates: alternatives (joined by or) of conditions (joined by and).</summary>
    public IReadOnlyList<IReadOnlyList<Condition>> Alternatives { get; private set; } = [[]];

    public AccessPath Path { get; private set; }

    /// <summary>
    /// Gets the parts of the predicates to check for each entity, because the path may lead to entities that do not satisfy them.
    /// </summary>
    public IReadOnlyList<Expression<Func<T, bool>>> Checked { get; private set; }

    /// <summary>Gets the number of documents read.</summary>
    public long DocumentsRead { get; private set; }

    /// <summary>True if the path returns the entities in the query's order, at least by its first key.</summary>
    public bool IsInOrder => Columns.Count == 0 ? !_spec.IsReversed || Path is KeyScan { Direction: ScanDirection.Reverse } or IndexScan { IsInKeyOrder: true, Direction: ScanDirection.Reverse } : Path switch
    {
        IndexScan index => index.IsInOrder || (index.IsInKeyOrder && index.Direction == KeyOrderOf(Columns)),
        KeyScan scan => scan.Direction == KeyOrderOf(Columns),
        _ => false,
    };

    /// <summary>Gets the number of documents that were left out by their keys in an index, without reading them.</summary>
    public long DocumentsLeftOut { get; private set; }

    /// <summary>
    /// True if the results to skip are left out by their keys in an index, without reading them: every entry of the index is a result, and
    /// its place among the results is known.
    /// </summary>
    public bool SkipsByIndex => _spec.Skip > 0 && Path is IndexScan scan && (scan.TieOrder is not null || IsInKeptOrder)
        && !IsChecked && !UsesRelated && !_spec.SkipsUnreadable;

    /// <summary>Gets the number of leading orderings that the path provides; the others sort entities that compare equal by these.</summary>
    public int OrderingsOfPath => !IsInOrder ? 0 : Path is IndexScan { IsInOrder: true, TieOrder: null } scan ? scan.OrderedColumns : Columns.Count;

    /// <summary>Gets the number of results from the start that are needed in the order of the query; null if all are.</summary>
    public int? Needed => _spec.Take is { } take ? QuerySpec<T>.Sum(_spec.Skip, take) : null;

    /// <summary>Makes the run read certain entities instead of those of its plan. All predicates are checked.</summary>
    public void Fix(AccessPath path)
    {
        _isFixed = true;
        Path = path;
        _checkedBoundaries = [.. _spec.Boundaries];
        Checked = FindChecked();
    }

    /// <summary>Returns the entities that may be results, in the order of their keys: ranges of keys, or the keys themselves.</summary>
    public async ValueTask<AccessPath> FindCandidatesAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        await FitToAsync(snapshot, cancellationToken).ConfigureAwait(false);
        if (Path is not (IndexScan or UnionAccess))
            return Path is NoAccess ? new KeyLookup([]) : Path;
        var reader = new PathReader(snapshot, _keyspace.Name, Path, PathReader.LargestPage);
        await using var _ = reader.ConfigureAwait(false);
        return new KeyLookup(await reader.ReadKeysAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>True if an entity satisfies the predicates.</summary>
    public bool Matches(T entity) => AreTrue(_compiled ??= Compile(_predicates, _spec.Boundaries), entity);

    /// <summary>Returns the results in their order, in batches that are never empty.</summary>
    public IAsyncEnumerable<List<QueryRow<T>>> ReadAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        var fitting = FitToAsync(snapshot, cancellationToken);
        return fitting.IsCompletedSuccessfully ? ReadFitted(snapshot, cancellationToken) : AfterAsync(fitting, () => ReadFitted(snapshot, cancellationToken));
    }

    /// <summary>Returns the entities of the results in their order, in batches that the caller owns.</summary>
    public IAsyncEnumerable<List<T>> ReadEntitiesAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        var fitting = FitToAsync(snapshot, cancellationToken);
        return fitting.IsCompletedSuccessfully ? ReadFittedEntities(snapshot, cancellationToken) : AfterAsync(fitting, () => ReadFittedEntities(snapshot, cancellationToken));
    }

    /// <summary>Returns the number of results.</summary>
    public async ValueTask<long> CountAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        await FitToAsync(snapshot, cancellationToken).ConfigureAwait(false);
        long count = 0;
        // A save that depends on the count depends on the entities.
        if (_spec.Predicates.Count + _spec.Boundaries.Count == 0 && !_spec.SkipsUnreadable && _relatedPredicates.Length == 0 && snapshot.Observer is null)
            count = (await snapshot.GetStatisticsAsync(_keyspace.Name, cancellationToken).ConfigureAwait(false)).Count;
        else if (Path is IndexScan index && !IsChecked && !_spec.SkipsUnreadable && _relatedPredicates.Length == 0
            && !await snapshot.HasExpiredAsync(_keyspace.Name, cancellationToken).ConfigureAwait(false))
            count = await PathReader.CountAsync(snapshot, _keyspace.Name, index, cancellationToken).ConfigureAwait(false);
        else if (MayReadIndexAlone)
        {
            await foreach (var batch in ReadKeptAsync(snapshot, cancellationToken).ConfigureAwait(false))
                count += batch.Count;
            return count;
        }
        else
        {
            await foreach (var batch in FilterAsync(snapshot, static (_, _, _) => true, cancellationToken).ConfigureAwait(false))
                count += batch.Count;
            if (IsInKeptOrder)
                return count;
        }
        return Math.Min(Math.Max(count - _spec.Skip, 0), _spec.Take ?? long.MaxValue);
    }

    IAsyncEnumerable<List<QueryRow<T>>> ReadFitted(StoreSnapshot snapshot, CancellationToken cancellationToken) =>
        IsInKeptOrder ? FilterAsync(snapshot, RowOf, cancellationToken) : SortAsync(snapshot, cancellationToken);

    IAsyncEnumerable<List<T>> ReadFittedEntities(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        return !IsInKeptOrder ? EntitiesOf(SortAsync(snapshot, cancellationToken))
            : MayReadIndexAlone ? ReadKeptAsync(snapshot, cancellationToken)
            : FilterAsync(snapshot, static (_, entity, _) => entity, cancellationToken);

        static async IAsyncEnumerable<List<T>> EntitiesOf(IAsyncEnumerable<List<QueryRow<T>>> rows)
        {
            await foreach (var batch in rows.ConfigureAwait(false))
                yield return batch.ConvertAll(static row => row.Entity);
        }
    }

    static async IAsyncEnumerable<TRow> AfterAsync<TRow>(ValueTask fitting, Func<IAsyncEnumerable<TRow>> read)
    {
        await fitting.ConfigureAwait(false);
        await foreach (var row in read().ConfigureAwait(false))
            yield return row;
    }

    /// <summary>
    /// Adapts the path to the indexes that can be read. While an index is being built, all documents are read instead. Documents whose
    /// values an index could not read are read as well, because they may be results, or have to raise an error.
    /// </summary>
    async ValueTask FitToAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (_isFixed || _planned is NoAccess or KeyScan or KeyLookup)
            return;
        var path = _planned;
        List<AccessPath>? unreadable = null;
        foreach (var index in _planned.Indexes)
        {
            if (!snapshot.HasIndex(_keyspace.Name, index.Name))
            {
                (path, unreadable) = (Directed(QueryPlanner.Everything), null);
                break;
            }
            if (await IndexExtraction.HasUnreadableAsync(snapshot, _keyspace.Name, index, cancellationToken).ConfigureAwait(false))
                (unreadable ??= []).Add(new IndexScan(index, [IndexExtraction.Unreadable], ScanDirection.Forward));
        }
        if (unreadable is not null)
            path = new UnionAccess([.. path is UnionAccess union ? union.Paths : [path], .. unreadable]);
        if (!ReferenceEquals(path, _fitted))
            Use(path);
    }

    /// <summary>Returns the path in the direction of the query. Without orderings, a reversed query scans the keys in reverse.</summary>
    AccessPath Directed(AccessPath path) => path switch
    {
        KeyScan scan when _spec.IsReversed && Columns.Count == 0 => scan with { Direction = ScanDirection.Reverse },
        IndexScan { IsInKeyOrder: true } scan => KeyOrderOf(Columns) is ScanDirection.Reverse ? scan with { Direction = ScanDirection.Reverse } : scan,
        // Entries with equal values are in the order of the keys only if the query orders by all columns of the index.
        IndexScan { IsInOrder: true } scan when scan.FixedColumns + scan.OrderedColumns == scan.Index.Properties.Count =>
            scan with { TieOrder = KeyOrderOf([.. Columns.Skip(scan.OrderedColumns)]) },
        _ => path,
    };

    /// <summary>
    /// Returns the direction in which the keys are in an order; null if there is none. Without columns, the order is that of the query.
    /// </summary>
    ScanDirection? KeyOrderOf(IReadOnlyList<OrderingColumn> columns) =>
        columns.Count == 0 ? (_spec.IsReversed ? ScanDirection.Reverse : ScanDirection.Forward)
        : _spec.IsReversed && columns.Count < _model.Key.Count ? null
        : QueryPlanner.KeyOrder(_model, columns);

    /// <summary>True if the entries of an index, or their keys, are exactly in the order of the query, and no value is cut off.</summary>
    bool IsExactlyInOrder(IndexScan scan) => scan.TieOrder is not null && HasFixedLengths(scan.Index);

    bool HasFixedLengths(IndexModel index) => index.Properties.All(name => _model.FindProperty(name) is { IsConverted: false } property && property.HasFixedLength);

    /// <summary>Splits a predicate, or a part of one, into the parts joined by and, and extracts their conditions.</summary>
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
            return _predicates;
        return [.. _conjuncts.GroupBy(part => part.Predicate).SelectMany(parts => parts.Any(IsAnswered) ? Rest(parts) : [parts.Key])];

        IEnumerable<Expression<Func<T, bool>>> Rest(IGrouping<Expression<Func<T, bool>>, Conjunct> parts)
        {
            var rest = parts.Where(part => !IsAnswered(part)).Select(part => part.Body).ToList();
            return rest.Count == 0 ? [] : [Expression.Lambda<Func<T, bool>>(rest.Aggregate(Expression.AndAlso), parts.Key.Parameters)];
        }
    }

    /// <summary>True if a part of a predicate is true of all entities that the path leads to.</summary>
    bool IsAnswered(Conjunct part) => Path.IsExact && part.Conditions is { } conditions && conditions.All(Path.Conditions.Contains);

    Func<T, bool>[] Checks => _checks ??= Compile(Checked, _checkedBoundaries);

    Func<T, bool>[] Compile(IReadOnlyList<Expression<Func<T, bool>>> predicates, IReadOnlyList<Boundary<T>> boundaries) =>
    [
        .. predicates.Select(predicate => _model.Expressions.Compile(RunConstantRewriter.Apply(predicate, _model.Expressions))),
        .. boundaries.Select(boundary => boundary.ToPredicate(_model)),
    ];

    static bool AreTrue(Func<T, bool>[] predicates, T entity)
    {
        foreach (var predicate in predicates)
        {
            if (!predicate(entity))
                return false;
        }
        return true;
    }

    /// <summary>True if the path returns the entities exactly in the query's order.</summary>
    bool IsInKeptOrder => IsInOrder && (Path is not IndexScan { IsInOrder: true } scan || IsExactlyInOrder(scan));

    /// <summary>
    /// Returns the number of results at the start that may be left out by their keys in an index: all that the query skips, if the path leads
    /// to nothing but results.
    /// </summary>
    async ValueTask<int> SkipByIndexAsync(StoreSnapshot snapshot, CancellationToken cancellationToken) =>
        // The index still has documents that have expired.
        SkipsByIndex && !await snapshot.HasExpiredAsync(_keyspace.Name, cancellationToken).ConfigureAwait(false) ? _spec.Skip : 0;

    static QueryRow<T> RowOf(DocumentPageEntry document, T entity, ReadOnlySpan<byte> indexValue) => new(
        new DocumentKey(document.EncodedKey.ToArray()), Document.Parse(document.Document.Encoded.ToArray()), entity, indexValue.ToArray());

    /// <summary>
    /// Returns the entities of the path that satisfy the predicates, in the order of the path. If <paramref name="isCut"/> is true, this is
    /// the query's order, and its Skip and Take are applied.
    /// </summary>
    async IAsyncEnumerable<List<TRow>> FilterByEntityAsync<TRow>(
        StoreSnapshot snapshot, RowReading<TRow> reading, bool isCut, IndexSkip? ofIndex, bool[]? components, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int skip = isCut ? _spec.Skip : 0, take = isCut ? _spec.Take ?? int.MaxValue : int.MaxValue;
        if (_spec.Take == 0)
            yield break;
        bool isChecked = IsChecked;
        if (isCut && skip > 0)
            ofIndex = new IndexSkip { Max = await SkipByIndexAsync(snapshot, cancellationToken).ConfigureAwait(false) };
        int leftOut = ofIndex?.Max ?? 0;
        bool isPlaced = !isChecked && (isCut || (Path is IndexScan { TieOrder: not null } && _relatedPredicates.Length == 0));
        int page = isPlaced && _spec.Take is { } wanted
            ? Math.Clamp(QuerySpec<T>.Sum(wanted, _spec.Skip - leftOut), 1, PathReader.LargestPage)
            : PathReader.FirstPage;
        var reader = new PathReader(snapshot, _keyspace.Name, Path, page)
        {
            Skip = leftOut,
            HasPlaces = Path is IndexScan scan && (scan.IsInKeyOrder || HasFixedLengths(scan.Index)),
            IsUnordered = _spec.IsUnordered,
        };
        await using var _ = reader.ConfigureAwait(false);
        while (take > 0 && await reader.MoveNextAsync(cancellationToken).ConfigureAwait(false))
        {
            if (ofIndex is { Done: 0 } && reader.Skipped > 0)
            {
                DocumentsLeftOut += ofIndex.Done = reader.Skipped;
                skip -= isCut ? ofIndex.Done : 0;
            }
            var rows = new List<TRow>(Math.Min(take, reader.Page.MaxCount));
            Read(reader, isChecked, components, reading, ref skip, take, rows);
            take -= rows.Count;
            if (rows.Count > 0)
                yield return rows;
        }
    }

    /// <summary>Converts the documents of a page to rows.</summary>
    void Read<TRow>(PathReader reader, bool isChecked, bool[]? components, RowReading<TRow> reading, ref int skip, int take, List<TRow> rows)
    {
        bool isDirect = !isChecked && !_spec.SkipsUnreadable && reading is not { TryRead: null, IsLeftOut: null };
        foreach (var document in isDirect ? reader.Page.Lazily() : reader.Page.GetEnumerator())
        {
            DocumentsRead++;
            if (!reader.IsSought(document.EncodedKey))
                continue;
            // A document that is skipped is not read, and need not be a readable entity.
            if (!isChecked && skip > 0 && !_spec.SkipsUnreadable)
            {
                skip--;
                continue;
            }
            if (isDirect && reading.IsLeftOut?.Invoke(document) == true)
                continue;
            if (isDirect && reading.TryRead is { } tryRead && tryRead(document, out var direct))
            {
                rows.Add(direct);
                if (rows.Count == take)
                    break;
                continue;
            }
            var entity = _spec.SkipsUnreadable ? ReadIfReadable(document) : _model.Read(document.EncodedKey, document.Document, components);
            if (entity is null)
                continue;
            if (isChecked && !AreTrue(Checks, entity))
                continue;
            if (skip > 0)
            {
                skip--;
                continue;
            }
            rows.Add(reading.RowOf(document, entity, reader.IndexValueOf(document.EncodedKey)));
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

    delegate bool DirectReader<TRow>(DocumentPageEntry document, out TRow row);

    /// <summary>The conversion of documents to rows.</summary>
    /// <param name="RowOf">Returns the row of a document and its entity.</param>
    sealed record RowReading<TRow>(RowFactory<TRow> RowOf)
    {
        /// <summary>Gets a function that returns the row of a document without its entity where it can; null if there is none. It is used only for documents that need not be checked.</summary>
        public DirectReader<TRow>? TryRead { get; init; }

        /// <summary>Gets a function that returns true for a document that has no row; null if all have one. It is used only for documents that need not be checked.</summary>
        public Func<DocumentPageEntry, bool>? IsLeftOut { get; init; }
    }

    /// <summary>One of the parts of a predicate that are joined by and.</summary>
    /// <param name="Predicate">The predicate.</param>
    /// <param name="Body">The part.</param>
    /// <param name="Conditions">The conditions that are equivalent to the part; null if there are none.</param>
    sealed record Conjunct(Expression<Func<T, bool>> Predicate, Expression Body, IReadOnlyList<Condition>? Conditions);
}
