using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

/// <summary>The settings of a query for entities: how it is run, as opposed to what it asks for. Immutable.</summary>
sealed record QuerySettings
{
    /// <summary>Gets the default settings.</summary>
    public static QuerySettings Default { get; } = new();

    /// <summary>Gets the settings of a query whose entities are not tracked.</summary>
    public static QuerySettings Untracked { get; } = new() { IsTracking = false };

    /// <summary>True if the entities are tracked.</summary>
    public bool IsTracking { get; init; } = true;

    /// <summary>Gets the instances of the current run, if it tracks nothing but returns the instances that it would track.</summary>
    public RunIdentities? Identities { get; init; }

    /// <summary>Gets the consistency level to reach before a snapshot is opened; null to read the local store as it is.</summary>
    public Consistency? Level { get; init; }

    /// <summary>Gets the snapshot to read; null if the query opens one.</summary>
    public StoreSnapshot? Snapshot { get; init; }

    /// <summary>Gets the names of the query filters to ignore; null if none are ignored, and empty if all are.</summary>
    public IReadOnlyCollection<string>? IgnoredFilters { get; init; }

    /// <summary>Gets the tags of the query.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>Returns true if the query filter with this name, or one without a name, is ignored.</summary>
    public bool Ignores(string? filter) => IgnoredFilters is { } names && (names.Count == 0 || (filter is not null && names.Contains(filter)));

    /// <summary>Opens the snapshot that a run reads, or returns null if there is one already.</summary>
    public async ValueTask<StoreSnapshot?> OpenSnapshotAsync(IQueryContext context, CancellationToken cancellationToken)
    {
        if (Snapshot is not null)
            return null;
        var store = await context.GetStoreAsync(cancellationToken).ConfigureAwait(false);
        if (Level is { } level and not Consistency.Serial)
            await store.CatchUpAsync(level, cancellationToken).ConfigureAwait(false);
        var snapshot = Level == Consistency.Serial
            ? await store.OpenSerialSnapshotAsync(cancellationToken).ConfigureAwait(false)
            : await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        snapshot.Observer = context.Reads;
        return snapshot;
    }
}
