using Datacake.EventualConsistency;
using Datacake.Storage;

namespace Datacake.Data.Querying.Planning;

/// <summary>The way in which a query finds the entities that may satisfy its predicates.</summary>
abstract record AccessPath
{
    /// <summary>Gets the conditions that the path answers.</summary>
    public IReadOnlyList<Condition> Conditions { get; init; } = [];

    /// <summary>Gets the kind of the path, for tags of metrics.</summary>
    public abstract string Kind { get; }

    /// <summary>Gets the indexes that the path reads.</summary>
    public virtual IEnumerable<IndexModel> Indexes => [];

    /// <summary>True if every entity that the path leads to satisfies the conditions that the path answers.</summary>
    public bool IsExact { get; init; } = true;

    public sealed override string ToString() => Describe(showsValues: true);

    /// <summary>Returns the path as text, with or without the values of its conditions.</summary>
    public abstract string Describe(bool showsValues);

    protected string Where(bool showsValues) => string.Join(" and ", Conditions.Select(condition => condition.Describe(showsValues)));

    protected static string OrOneScan(int lookups) => lookups > KeyLookups.MinCountToCompare ? ", or one scan of the range if that is cheaper" : "";
}

/// <summary>A path that leads to no entity, because the predicate is never true.</summary>
sealed record NoAccess : AccessPath
{
    public override string Kind => "none";

    public override string Describe(bool showsValues) => "nothing, as the condition is never true";
}

/// <summary>
/// A scan of all entities, or of ranges of keys, in the order of the keys. The ranges are in ascending order and do not overlap.
/// </summary>
sealed record KeyScan(IReadOnlyList<KeyRange> Keys, ScanDirection Direction) : AccessPath
{
    public static readonly IReadOnlyList<KeyRange> AllKeys = [KeyRange.All];

    public bool IsFull => Keys is [var range] && range == KeyRange.All;

    public override string Kind => IsFull ? "scan" : "key range";

    public override string Describe(bool showsValues) =>
        (IsFull ? "full scan" : Conditions.Count == 0 ? "key range" : $"key range where {Where(showsValues)}{OrOneScan(Keys.Count)}") + (Direction == ScanDirection.Reverse ? ", descending" : "");
}

/// <summary>A lookup of entities by their keys, which are in ascending order.</summary>
sealed record KeyLookup(IReadOnlyList<DocumentKey> Keys) : AccessPath
{
    public override string Kind => "key";

    public override string Describe(bool showsValues) => $"key lookup where {Where(showsValues)}{OrOneScan(Keys.Count)}";
}

/// <summary>A scan of ranges of an index. The ranges are in ascending order and do not overlap.</summary>
sealed record IndexScan(IndexModel Index, IReadOnlyList<KeyRange> Values, ScanDirection Direction) : AccessPath
{
    public override string Kind => "index";

    /// <summary>Gets the number of leading columns that the conditions fix to one value each.</summary>
    public int FixedColumns { get; init; }

    /// <summary>Gets the number of the query's leading orderings that the scan provides.</summary>
    public int OrderedColumns { get; init; }

    public bool IsInOrder => OrderedColumns > 0;

    /// <summary>
    /// Gets the order of the keys of entities with equal values that the query asks for, if the index alone can provide it; null if such
    /// entities have to be compared.
    /// </summary>
    public ScanDirection? TieOrder { get; init; }

    /// <summary>True if all entries have the same value, and are therefore in the order of the keys.</summary>
    public bool IsInKeyOrder => Values is [_] && IsExact && FixedColumns == Index.Properties.Count;

    /// <summary>True if no document has more than one entry in the ranges: the index is not on a set, or the conditions fix its element.</summary>
    public bool HasEachOnce { get; init; }

    /// <summary>
    /// True if the scan has two ranges, of which the first in its direction is a part of the entries with one value, and <see cref="TieOrder"/> is the opposite direction.
    /// </summary>
    public bool HasGroup { get; init; }

    public override IEnumerable<IndexModel> Indexes => [Index];

    public override string Describe(bool showsValues) =>
        $"index {Index.Name}{(Conditions.Count == 0 ? "" : $" where {Where(showsValues)}")}{OrOneScan(Values.Count)}"
        + (Direction == ScanDirection.Reverse ? ", descending" : "");
}

/// <summary>The entities that any of several paths leads to.</summary>
sealed record UnionAccess(IReadOnlyList<AccessPath> Paths) : AccessPath
{
    public override string Kind => "several";

    public override IEnumerable<IndexModel> Indexes => Paths.SelectMany(path => path.Indexes);

    public override string Describe(bool showsValues) => string.Join(" or ", Paths.Select(path => path.Describe(showsValues)));
}
