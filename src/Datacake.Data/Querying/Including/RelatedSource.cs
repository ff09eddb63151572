using Datacake.Crdt;
using Datacake.Data.Querying.Filters;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying.Including;

/// <summary>The source of related entities.</summary>
/// <param name="Snapshot">The stored entities.</param>
/// <param name="Tracker">The tracker that tracks the entities, or that knows the tracked instances; null to use new instances.</param>
/// <param name="Identities">The instances of a query run that tracks nothing; null if there are none.</param>
sealed record RelatedSource(StoreSnapshot Snapshot, IEntityTracker? Tracker = null, RunIdentities? Identities = null)
{
    public static RelatedSource Of(QuerySource source, StoreSnapshot snapshot) => source.IsTracking
        ? new RelatedSource(snapshot, source.Context.Tracker, source.Identities) { Filtering = source.Filtering, HasLevel = source.Settings.Level is not null }
        : new RelatedSource(snapshot) { Filtering = source.Filtering };

    /// <summary>Gets the query filters that apply to the entities; null if there are none.</summary>
    public QueryFiltering? Filtering { get; init; }

    /// <summary>True if the entities are read at a consistency level, so that tracked instances without pending changes get the values that were read.</summary>
    public bool HasLevel { get; init; }

    /// <summary>Returns the instance that represents an entity that was read.</summary>
    public T Take<T>(KeyspaceModel keyspace, DocumentKey key, Document document, T entity)
        where T : class
    {
        if (Tracker is null)
            return entity;
        if (HasLevel)
            Tracker.RefreshUnchanged(keyspace, key, document);
        return Identities?.Take(Tracker, keyspace, key, entity) ?? Tracker.TrackRead(keyspace, key, document, entity);
    }
}
