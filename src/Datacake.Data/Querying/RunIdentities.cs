using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Data.Querying;

/// <summary>
/// The instances that represent entities within one run of a query that tracks nothing: one for each key, which is the tracked one if there
/// is one. A count therefore agrees with a list of the same query, even if a condition compares instances. Not thread-safe.
/// </summary>
/// <param name="usesTracked">True if a tracked instance represents its entity.</param>
sealed class RunIdentities(bool usesTracked = true)
{
    readonly Dictionary<(EntityModel, DocumentKey), object> _entities = [];

    public T Take<T>(IEntityTracker tracker, KeyspaceModel keyspace, DocumentKey key, T entity)
        where T : class
    {
        if (usesTracked && tracker.TryGetEntity(keyspace.Entity, key, out object? tracked))
            return (T)tracked;
        if (_entities.TryGetValue((keyspace.Entity, key), out object? known))
            return (T)known;
        _entities.Add((keyspace.Entity, key), entity);
        return entity;
    }
}
