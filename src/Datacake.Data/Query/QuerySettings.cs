using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Querying;

/// <summary>Says how a query for entities is run, beside what it asks for. Immutable.</summary>
sealed record QuerySettings
{
    /// <summary>Gets the settings of a query that nothing is said of.</summary>
    public static QuerySettings Default { get; } = new();

    /// <summary>Gets the settings of a query whose entities are not tracked.</summary>
    public static QuerySettings Untracked { get; } = new() { IsTracking = false };

    /// <summary>True if the entities are tracked.</summary>
    public bool IsTracking { get; init; } = true;

    /// <summary>Gets the instances of the run under way, if it tracks nothing and has those that it would track.</summary>
    public RunIdentities? Identities { get; init; }

    /// <summary>Gets the level that the node catches up with before a snapshot is opened; null if it reads what it has.</summary>
    public Consistency? Level { get; init; }

    /// <summary>Gets the snapshot that is read; null if the query opens one.</summary>
    public StoreSnapshot? Snapshot { get; init; }

    /// <summary>Gets the names of the query filters that are left out; null if none is, and empty if all are.</summary>
    public IReadOnlyCollection<string>? IgnoredFilters { get; init; }

    /// <summary>Gets what the query is tagged with.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>True if a query filter of this name, or without one, is left out.</summary>
    public bool Ignores(string? filter) => IgnoredFilters is { } names && (names.Count == 0 || (filter is not null && names.Contains(filter)));
}
