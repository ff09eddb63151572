using Datacake.Data.Metadata;
using Datacake.EventualConsistency;
using Datacake.Storage;

namespace Datacake.Data.Querying;

/// <summary>Where the entities come from that a predicate may be true of.</summary>
abstract record AccessPath
{
    /// <summary>The conditions that it answers.</summary>
    public IReadOnlyList<Condition> Conditions { get; init; } = [];

    /// <summary>The indexes that it reads.</summary>
    public virtual IEnumerable<IndexModel> Indexes => [];

    /// <summary>Whether all that it leads to fits the conditions that it answers; if not, some may not.</summary>
    public bool IsExact { get; init; } = true;

    protected string Where => string.Join(" and ", Conditions);

    protected static string OrAllBetween(int places) => places > Places.Many ? ", or all between if that is less" : "";
}

/// <summary>Nowhere: the predicate is never true.</summary>
sealed record NoAccess : AccessPath
{
    public override string ToString() => "nothing, as the condition is never true";
}

/// <summary>All entities, or those of some ranges of keys, in the order of their keys. The ranges are in order, and do not overlap.</summary>
sealed record KeyScan(IReadOnlyList<KeyRange> Keys, ScanDirection Direction) : AccessPath
{
    public static readonly IReadOnlyList<KeyRange> AllKeys = [KeyRange.All];

    public bool IsFull => Keys is [var range] && range == KeyRange.All;

    public override string ToString() =>
        (IsFull ? "full scan" : $"key range where {Where}{OrAllBetween(Keys.Count)}") + (Direction == ScanDirection.Reverse ? ", descending" : "");
}

/// <summary>Entities by their keys, which are in order.</summary>
sealed record KeyLookup(IReadOnlyList<DocumentKey> Keys) : AccessPath
{
    public override string ToString() => $"key lookup where {Where}{OrAllBetween(Keys.Count)}";
}

/// <summary>Ranges of an index, which are in order, and do not overlap.</summary>
sealed record IndexScan(IndexModel Index, IReadOnlyList<KeyRange> Values, ScanDirection Direction) : AccessPath
{
    /// <summary>How many leading columns the conditions fix to one value each.</summary>
    public int FixedColumns { get; init; }

    /// <summary>How many of the query's orderings, the first ones, the entities come in the order of.</summary>
    public int OrderedColumns { get; init; }

    public bool IsInOrder => OrderedColumns > 0;

    public override IEnumerable<IndexModel> Indexes => [Index];

    public override string ToString() =>
        $"index {Index.Name}{(Conditions.Count == 0 ? "" : $" where {Where}")}{OrAllBetween(Values.Count)}"
        + (Direction == ScanDirection.Reverse ? ", descending" : "");
}

/// <summary>What any of several ways leads to.</summary>
sealed record UnionAccess(IReadOnlyList<AccessPath> Paths) : AccessPath
{
    public override IEnumerable<IndexModel> Indexes => Paths.SelectMany(path => path.Indexes);

    public override string ToString() => string.Join(" or ", Paths);
}
