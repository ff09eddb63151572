using System.Diagnostics.CodeAnalysis;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.Storage;

namespace Datacake.Data.Querying.Planning;

/// <summary>An ordering as the planner sees it. The property is null if the query orders by anything else.</summary>
readonly record struct OrderingColumn(string? Property, bool IsDescending);

/// <summary>
/// The query planner, which chooses the access path of a query. Pure. A plan decides how many entities are read, never which ones are
/// returned.
/// </summary>
/// <remarks>
/// The choice depends on the model and the conditions, not on statistics of the data. So a query has the same plan on every node and in
/// every test, and <see cref="PlanCache"/> can reuse the plan for other values. The price is a poor choice where two indexes fix equally
/// many columns and one of them is hardly selective.
/// </remarks>
static class QueryPlanner
{
    /// <summary>
    /// The maximum number of ranges for combinations of values of several columns. A single column has as many ranges as the query names
    /// values.
    /// </summary>
    const int MaxCombinations = 1_000;

    /// <summary>Returns the access path for a query.</summary>
    /// <param name="entity">The model of the entity class.</param>
    /// <param name="alternatives">The conditions of the predicates: alternatives (joined by or) of conditions (joined by and).</param>
    /// <param name="orderings">The orderings of the query, from the first to the last.</param>
    public static AccessPath Plan(
        EntityModel entity, IReadOnlyList<IReadOnlyList<Condition>> alternatives, IReadOnlyList<OrderingColumn> orderings)
    {
        if (alternatives.Count == 0)
            return new NoAccess();
        if (alternatives.Count == 1)
            return PlanOne(entity, alternatives[0], orderings);
        var paths = alternatives
            .Select(conditions => PlanOne(entity, conditions, orderings: []))
            .Where(path => path is not NoAccess)
            .ToList();
        if (paths.Count == 0)
            return new NoAccess();
        return paths.TrueForAll(path => path is KeyLookup or IndexScan) ? new UnionAccess(paths) : InOrder(entity, alternatives, orderings) ?? Everything;
    }

    /// <summary>
    /// Adapts a plan to other values of conditions on the same properties, in the same order. Returns false if the choice of the plan
    /// depends on the values.
    /// </summary>
    public static bool TryRebind(
        EntityModel entity, AccessPath known, IReadOnlyList<Condition> conditions, [NotNullWhen(true)] out AccessPath? rebound)
    {
        rebound = known;
        if (known.Conditions.Count == 0)
            return true;
        var index = (known as IndexScan)?.Index;
        var ranges = Ranges(
            index is null ? KeyColumnsOf(entity) : ColumnsOf(entity, index), conditions,
            index is null ? int.MaxValue : DocumentIndex.MaxValueLength);
        rebound = known switch
        {
            IndexScan scan when !ranges.IsCut => scan with
            {
                Values = ranges.IsUsed ? ranges.Values : scan.Values,
                HasEachOnce = scan.HasEachOnce && (ranges.Values.Count <= 1 || scan.Index.Properties is not [var column] || entity.FindProperty(column) is not { Kind: PropertyKind.Set }),
                Conditions = [.. AnsweredClasses(scan.Index, conditions), .. ranges.Conditions],
            },
            KeyScan scan when ranges.Values.Count > 0 => scan with { Keys = ranges.Values, Conditions = ranges.Conditions },
            KeyLookup => new KeyLookup(KeysOf(ranges)) { Conditions = ranges.Conditions },
            _ => null,
        };
        return rebound is not null;
    }

    public static KeyScan Everything => new(KeyScan.AllKeys, ScanDirection.Forward);

    static AccessPath PlanOne(EntityModel entity, IReadOnlyList<Condition> conditions, IReadOnlyList<OrderingColumn> orderings)
    {
        if (conditions.Any(condition => condition.Kind == ConditionKind.In && condition.Values.Count == 0))
            return new NoAccess();

        var best = Everything as AccessPath;
        double bestScore = 0;
        var key = Ranges(KeyColumnsOf(entity), conditions, maxValueLength: int.MaxValue);
        if (key.IsUsed)
            (best, bestScore) = (KeyAccess(entity, key, orderings), Score(key) + (key.Fixed == entity.Key.Count && key.Values.Count <= KeyLookups.MinCountToCompare ? 100 : 0));
        foreach (var index in entity.Indexes)
        {
            if (!HasAll(index, conditions))
                continue;
            var columns = ColumnsOf(entity, index);
            var ranges = Ranges(columns, conditions, DocumentIndex.MaxValueLength);
            var classes = AnsweredClasses(index, conditions);
            // A set may be empty, and its entity is then not in the index.
            if (!ranges.IsUsed && (classes.Count == 0 || columns is [{ Property.Kind: PropertyKind.Set }]))
                continue;
            // The order decides between equal paths: it avoids reading all results before the first one is returned.
            var (ordered, direction) = OrderOf(columns, ranges, orderings);
            double score = Score(ranges) + (classes.Count > 0 ? 0.5 : 0) + (ordered > 0 ? 0.5 : 0) + (0.01 * ordered);
            if (score <= bestScore)
                continue;
            best = new IndexScan(index, ranges.IsUsed ? ranges.Values : [KeyRange.All], direction)
            {
                Conditions = [.. classes, .. ranges.Conditions],
                FixedColumns = ranges.Fixed,
                OrderedColumns = ordered,
                IsExact = !ranges.IsCut,
                HasEachOnce = columns is not [{ Property.Kind: PropertyKind.Set }] || (ranges.Fixed == 1 && ranges.Values.Count == 1 && !ranges.IsCut),
            };
            bestScore = score;
        }
        return best is KeyScan { IsFull: true } ? InOrder(entity, [conditions], orderings) ?? best : best;
    }

    /// <summary>
    /// True if an index contains all entities that the conditions can be true of. An index may be limited to a derived class.
    /// </summary>
    static bool HasAll(IndexModel index, IReadOnlyList<Condition> conditions) =>
        index.DerivedType is not { } type || conditions.Any(condition => condition.Type?.IsAssignableTo(type) == true);

    /// <summary>Returns the conditions that are true of all entities in an index, because it is limited to a derived class.</summary>
    static List<Condition> AnsweredClasses(IndexModel index, IReadOnlyList<Condition> conditions) => index.DerivedType is { } type
        ? [.. conditions.Where(condition => condition.Type?.IsAssignableFrom(type) == true)]
        : [];

    /// <summary>
    /// Returns the score of the ranges; a higher one is better. More fixed columns are better; then a range bounded on both sides; then
    /// very many values; then a range bounded on one side. One value is better than several.
    /// </summary>
    static double Score(ColumnRanges ranges) => !ranges.IsUsed ? 0
        : ranges.Values.Count > KeyLookups.MinCountToCompare ? 4
        : (10 * ranges.Fixed) + ranges.Selectivity - (ranges.Values.Count > 1 ? 1 : 0);

    static AccessPath KeyAccess(EntityModel entity, ColumnRanges ranges, IReadOnlyList<OrderingColumn> orderings)
    {
        if (ranges.Fixed == entity.Key.Count)
            return new KeyLookup(KeysOf(ranges)) { Conditions = ranges.Conditions };
        if (ranges.Values.Count == 0)
            return new NoAccess();
        return new KeyScan(ranges.Values, KeyOrder(entity, orderings) ?? ScanDirection.Forward) { Conditions = ranges.Conditions };
    }

    /// <summary>Returns the keys that the ranges consist of if all columns are fixed.</summary>
    static List<DocumentKey> KeysOf(ColumnRanges ranges) => [.. ranges.Values
        .Where(range => range.Start.Length <= DocumentKey.MaxLength)
        .Select(range => new DocumentKey(range.Start))
        .Order()];

    /// <summary>Returns a scan of all entities in the order of the query, if the key or an index provides it; otherwise null.</summary>
    static AccessPath? InOrder(
        EntityModel entity, IReadOnlyList<IReadOnlyList<Condition>> alternatives, IReadOnlyList<OrderingColumn> orderings)
    {
        if (orderings.Count == 0)
            return null;
        if (KeyOrder(entity, orderings) is { } direction)
            return new KeyScan(KeyScan.AllKeys, direction);
        IndexScan? best = null;
        foreach (var index in entity.Indexes.Where(index => alternatives.All(conditions => HasAll(index, conditions))))
        {
            var (ordered, scan) = OrderOf(ColumnsOf(entity, index), new ColumnRanges(), orderings);
            if (ordered > (best?.OrderedColumns ?? 0))
                best = new IndexScan(index, [KeyRange.All], scan) { OrderedColumns = ordered, HasEachOnce = true };
        }
        return best;
    }

    /// <summary>
    /// Returns the direction in which the keys are in the order of the query; null if there is none. For the reverse direction, the
    /// orderings must name the whole key, because entities that compare equal keep the ascending order of their keys.
    /// </summary>
    public static ScanDirection? KeyOrder(EntityModel entity, IReadOnlyList<OrderingColumn> orderings)
    {
        int common = 0;
        while (common < orderings.Count && common < entity.Key.Count && orderings[common].Property == entity.Key[common].Name
            && !entity.Key[common].IsConverted && orderings[common].IsDescending == orderings[0].IsDescending)
            common++;
        if (common == entity.Key.Count)
            return orderings[0].IsDescending ? ScanDirection.Reverse : ScanDirection.Forward;
        return common > 0 && common == orderings.Count && !orderings[0].IsDescending ? ScanDirection.Forward : null;
    }

    /// <summary>
    /// Returns the value in an index at which a scan in the order of a query comes to an entity: the columns that the scan fixes, and those by which the query orders, which are the entity's. Null if the index cannot have it.
    /// </summary>
    public static byte[]? ValueOf(EntityModel model, IndexScan scan, object entity)
    {
        var writer = new OrderedKeyWriter(32);
        foreach (var (i, column) in ColumnsOf(model, scan.Index).Take(scan.FixedColumns + scan.OrderedColumns).Index())
        {
            int start = writer.Length;
            object? value = i < scan.FixedColumns
                ? scan.Conditions.First(condition => condition.Kind == ConditionKind.In && condition.Property == column.Property).Values[0]
                : column.Property.GetValue(entity);
            if (!column.Property.OrderedCodec!.TryWriteOrdered(writer, value))
                return null;
            if (column.IsDescending)
                writer.Reverse(start);
        }
        return writer.ToArray();
    }

    static IEnumerable<Column> KeyColumnsOf(EntityModel entity) => entity.Key.Select(property => new Column(property, false));

    static IReadOnlyList<Column> ColumnsOf(EntityModel entity, IndexModel index) =>
        [.. index.Properties.Zip(index.Descending, (name, isDescending) => new Column(entity.FindProperty(name)!, isDescending))];

    /// <summary>
    /// Returns the number of leading orderings that an index provides, and the direction in which to read it. Entities that compare equal
    /// by these are then sorted by the other orderings.
    /// </summary>
    static (int Count, ScanDirection Direction) OrderOf(
        IReadOnlyList<Column> columns, ColumnRanges ranges, IReadOnlyList<OrderingColumn> orderings)
    {
        if (orderings.Count == 0 || ranges.Values.Count > 1)
            return (0, ScanDirection.Forward);
        int count = 0;
        bool isReverse = false;
        foreach (var (column, ordering) in columns.Skip(ranges.Fixed).Zip(orderings))
        {
            if (column.Property.Name != ordering.Property || column.Property is not { IsConverted: false, Kind: not PropertyKind.Set })
                break;
            bool isAgainst = column.IsDescending != ordering.IsDescending;
            if (count > 0 && isAgainst != isReverse)
                break;
            isReverse = isAgainst;
            count++;
        }
        return (count, isReverse ? ScanDirection.Reverse : ScanDirection.Forward);
    }

    /// <summary>Returns the ranges of an index or of the keys in which the conditions can be true.</summary>
    static ColumnRanges Ranges(IEnumerable<Column> columns, IReadOnlyList<Condition> conditions, int maxValueLength)
    {
        var used = new List<Condition>();
        var prefixes = new List<byte[]> { Array.Empty<byte>() };
        int fixedColumns = 0;
        foreach (var column in columns)
        {
            Condition? equality = null;
            var bounds = new List<Condition>();
            foreach (var condition in conditions)
            {
                if (condition.Property != column.Property)
                    continue;
                // A set has an entry for each element, so only one of several conditions can be applied to an entry, and one is enough.
                if (condition.Kind != ConditionKind.In)
                    bounds.Add(condition);
                else if (equality is null || condition.Values.Count < equality.Values.Count)
                    equality = condition;
            }
            if (equality is not null && (prefixes.Count == 1 || prefixes.Count * equality.Values.Count <= Math.Max(prefixes.Count, MaxCombinations)))
            {
                prefixes = [.. prefixes.SelectMany(prefix => equality.Values, (prefix, value) => Append(prefix, column, value))];
                used.Add(equality);
                fixedColumns++;
                continue;
            }
            if (bounds.Count == 0)
                break;
            used.AddRange(bounds);
            var values = Distinct(prefixes.ConvertAll(prefix => Range(prefix, column, bounds, maxValueLength)));
            bool isCut = maxValueLength < int.MaxValue
                && bounds.Exists(bound => prefixes.Exists(prefix => Exact(prefix, column, bound).Length > maxValueLength));
            bool isClosed = bounds.Exists(condition => condition.Kind == ConditionKind.StartsWith)
                || (bounds.Exists(IsLower) && bounds.Exists(IsUpper));
            bool isNotNull = bounds.TrueForAll(condition => condition.Values[0] is null);
            return new ColumnRanges
            {
                Values = values,
                Conditions = used,
                Fixed = fixedColumns,
                Selectivity = isClosed ? 5 : isNotNull ? 1 : 3,
                IsCut = isCut,
            };
        }
        if (used.Count == 0)
            return new ColumnRanges();
        return new ColumnRanges
        {
            // If all columns of a key are fixed, the starts of the ranges are the keys themselves.
            Values = Distinct(prefixes.ConvertAll(prefix => KeyRange.WithPrefix(Cut(prefix, maxValueLength)))),
            Conditions = used,
            Fixed = fixedColumns,
            IsCut = prefixes.Exists(prefix => prefix.Length > maxValueLength),
        };
    }

    static bool IsLower(Condition condition) => condition.Kind is ConditionKind.GreaterThan or ConditionKind.GreaterThanOrEqual;

    static bool IsUpper(Condition condition) => condition.Kind is ConditionKind.LessThan or ConditionKind.LessThanOrEqual;

    static KeyRange Range(byte[] prefix, Column column, List<Condition> bounds, int maxValueLength)
    {
        var range = KeyRange.WithPrefix(Cut(prefix, maxValueLength));
        foreach (var bound in bounds)
        {
            byte[] exact = Exact(prefix, column, bound);
            byte[] value = Cut(exact, maxValueLength);
            range = Narrowed(range, column.IsDescending ? Mirrored(bound.Kind) : bound.Kind, value, isCut: value.Length < exact.Length);
        }
        // Null sorts first in an index, but compares as less than other values only if they are strings.
        if (column.Property is { IsNullable: true, Type.IsValueType: true } && !bounds.Exists(IsLower)
            && Append(prefix, column, value: null) is var ofNull && ofNull.Length <= maxValueLength)
            range = Narrowed(range, column.IsDescending ? ConditionKind.LessThan : ConditionKind.GreaterThan, ofNull, isCut: false);
        return range;
    }

    /// <summary>
    /// Returns the part of a range that satisfies a condition. A value that is cut off stands for all values that begin with it.
    /// </summary>
    static KeyRange Narrowed(KeyRange range, ConditionKind kind, byte[] value, bool isCut)
    {
        var start = kind switch
        {
            ConditionKind.GreaterThan when !isCut => KeyRange.WithPrefix(value).End,
            ConditionKind.GreaterThan or ConditionKind.GreaterThanOrEqual or ConditionKind.StartsWith => value,
            _ => ReadOnlyMemory<byte>.Empty,
        };
        var end = kind switch
        {
            ConditionKind.LessThan when !isCut => value,
            ConditionKind.LessThan or ConditionKind.LessThanOrEqual or ConditionKind.StartsWith => KeyRange.WithPrefix(value).End,
            _ => null as ReadOnlyMemory<byte>?,
        };
        if (start is { } lower && lower.Span.SequenceCompareTo(range.Start.Span) > 0)
            range = range with { Start = lower };
        if (end is { } upper && (range.End is not { } known || upper.Span.SequenceCompareTo(known.Span) < 0))
            range = range with { End = upper };
        return range;
    }

    /// <summary>Returns the condition in the order of a descending column.</summary>
    static ConditionKind Mirrored(ConditionKind kind) => kind switch
    {
        ConditionKind.GreaterThan => ConditionKind.LessThan,
        ConditionKind.GreaterThanOrEqual => ConditionKind.LessThanOrEqual,
        ConditionKind.LessThan => ConditionKind.GreaterThan,
        ConditionKind.LessThanOrEqual => ConditionKind.GreaterThanOrEqual,
        _ => kind,
    };

    static byte[] Exact(byte[] prefix, Column column, Condition bound) => bound.Kind == ConditionKind.StartsWith
        ? Append(prefix, column, writer => writer.WritePrefix((string)bound.Values[0]!))
        : Append(prefix, column, bound.Values[0]);

    static List<KeyRange> Distinct(List<KeyRange> ranges)
    {
        ranges.RemoveAll(static range => range.IsEmpty);
        if (ranges.Count > 1)
            ranges.Sort(static (a, b) => a.Start.Span.SequenceCompareTo(b.Start.Span));
        for (int i = ranges.Count - 1; i > 0; i--)
        {
            // Ranges of different prefixes do not overlap. Equal ranges come from a value that is listed twice, or from two that are equal
            // once cut off.
            if (ranges[i].Start.Span.SequenceEqual(ranges[i - 1].Start.Span))
                ranges.RemoveAt(i);
        }
        return ranges;
    }

    static byte[] Append(byte[] prefix, Column column, object? value) =>
        Append(prefix, column, writer => column.Property.OrderedCodec!.TryWriteOrdered(writer, value));

    static byte[] Append(byte[] prefix, Column column, Action<OrderedKeyWriter> write)
    {
        var writer = new OrderedKeyWriter(prefix.Length + 32);
        writer.WriteRaw(prefix);
        write(writer);
        if (column.IsDescending)
            writer.Reverse(prefix.Length);
        return writer.ToArray();
    }

    static byte[] Cut(byte[] value, int maxLength) => value.Length <= maxLength ? value : value[..maxLength];

    /// <summary>A column of an index or a part of the key.</summary>
    readonly record struct Column(PropertyModel Property, bool IsDescending);

    sealed record ColumnRanges
    {
        public List<KeyRange> Values { get; init; } = [];

        public List<Condition> Conditions { get; init; } = [];

        public int Fixed { get; init; }

        public double Selectivity { get; init; }

        /// <summary>True if a value is longer than the index can hold.</summary>
        public bool IsCut { get; init; }

        public bool IsUsed => Conditions.Count > 0;
    }
}
