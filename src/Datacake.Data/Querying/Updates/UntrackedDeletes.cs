using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying.Updates;

/// <summary>
/// The delete behaviors of entities that a query deletes without tracking. Their effects are added to the writes of the query.
/// </summary>
static class UntrackedDeletes
{
    /// <summary>Adds the effects on dependents to the writes.</summary>
    /// <exception cref="InvalidOperationException">An entity cannot be deleted, because another one refers to it.</exception>
    public static async Task FollowAsync(UntrackedWrites writes, StoreSnapshot snapshot, IReadOnlyList<StoredEntity> found, CancellationToken cancellationToken)
    {
        var deleted = found.Select(entity => entity.Identity).ToHashSet();
        var others = new Dictionary<(KeyspaceModel, DocumentKey), (StoredEntity Entity, List<RelationModel> Relations)>();
        for (var open = found; open.Count > 0;)
        {
            var next = new List<StoredEntity>();
            foreach (var ofClass in open.GroupBy(entity => entity.Keyspace.Entity))
            {
                foreach (var relation in ofClass.Key.Relations.Where(relation => relation.Principals.Entity == ofClass.Key && relation.DeleteBehavior != DeleteBehavior.NoAction))
                {
                    foreach (var dependent in await RelatedReader.ReadDependentsAsync(relation, snapshot, [.. ofClass.Select(entity => entity.Entity)], cancellationToken).ConfigureAwait(false))
                    {
                        if (relation.DeleteBehavior != DeleteBehavior.Cascade)
                        {
                            if (!others.TryGetValue(dependent.Identity, out var other))
                                others.Add(dependent.Identity, other = (dependent, []));
                            other.Relations.Add(relation);
                        }
                        else if (deleted.Add(dependent.Identity))
                        {
                            writes.Delete(dependent);
                            next.Add(dependent);
                        }
                    }
                }
            }
            open = next;
        }
        var writer = new CellWriter();
        foreach (var (dependent, relations) in others.Values)
        {
            if (deleted.Contains(dependent.Identity))
                continue;
            if (relations.Find(relation => relation.DeleteBehavior == DeleteBehavior.Restrict) is { } restricting)
                throw restricting.RestrictedDelete(restricting.PrincipalKeyOf(dependent.Entity), dependent.Key);
            var model = dependent.Keyspace.Entity;
            var before = model.Encode(dependent.Entity, writer);
            foreach (var relation in relations)
                relation.Clear(dependent.Entity);
            writes.Update(dependent, model.Encode(dependent.Entity, writer).ChangesFrom(before));
        }
    }
}
