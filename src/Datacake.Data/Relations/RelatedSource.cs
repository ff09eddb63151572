using Datacake.Crdt;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>Says where related entities come from.</summary>
/// <param name="Snapshot">What is stored.</param>
/// <param name="Tracker">What tracks them, or knows the tracked instances; null if each is an instance of its own.</param>
/// <param name="Identities">The instances of a run that tracks nothing; null if there are none.</param>
sealed record RelatedSource(StoreSnapshot Snapshot, ChangeTracker? Tracker = null, RunIdentities? Identities = null)
{
    public static RelatedSource Of(QuerySource source, StoreSnapshot snapshot) => source.IsTracking
        ? new RelatedSource(snapshot, source.Context.ChangeTracker, source.Identities) { Filtering = source.Filtering }
        : new RelatedSource(snapshot) { Filtering = source.Filtering };

    /// <summary>Gets the query filters that hold for the entities; null if there are none.</summary>
    public QueryFiltering? Filtering { get; init; }

    /// <summary>The instance that stands for an entity that was read.</summary>
    public T Take<T>(KeyspaceModel keyspace, DocumentKey key, Document document, T entity)
        where T : class =>
        Tracker is null ? entity : Identities?.Take(Tracker, keyspace, key, entity) ?? Tracker.TrackRead(keyspace, key, document, entity);
}
