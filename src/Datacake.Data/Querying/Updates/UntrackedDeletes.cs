using Datacake.Data.Cells;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying.Updates;

/// <summary>
/// The delete behaviors of entities that a query deletes without tracking. They are added to the transaction, which requires that every
/// dependent is still as it was read.
/// </summary>
static class UntrackedDeletes
{
    /// <summary>Adds the effects on dependents to the transaction.</summary>
    /// <exception cref="InvalidOperationException">An entity cannot be deleted, because another one refers to it.</exception>
    public static async Task FollowAsync(Transaction transaction, StoreSnapshot snapshot, IReadOnlyList<StoredEntity> found, CancellationToken cancellationToken)
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
                            transaction.Delete(dependent.Keyspace.Name, dependent.Key);
                            RequireUnchanged(transaction, dependent);
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
            var changes = model.Encode(dependent.Entity, writer).ChangesFrom(before);
            transaction.Update(dependent.Keyspace.Name, dependent.Key, changes.Cells, changes.Counters);
            RequireUnchanged(transaction, dependent);
        }
    }

    static void RequireUnchanged(Transaction transaction, StoredEntity entity) =>
        transaction.Require(entity.Keyspace.Name, entity.Key, current => current is not null && current.Equals(entity.Document));
}
