using Datacake.Data.Querying.Related;
using Datacake.Data.Querying.Updates;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.ChangeTracking;

/// <summary>
/// The application of the model's delete behaviors to the dependents of deleted entities, and to their dependents in turn.
/// </summary>
static class DeleteBehaviors
{
    /// <summary>Applies the behaviors to tracked entities only. The commit rejects restricted deletes.</summary>
    /// <param name="tracker">The tracked entities.</param>
    /// <param name="undo">Receives the actions that undo the changes if the save fails.</param>
    public static void ApplyToTracked(ChangeTracker tracker, List<Action> undo)
    {
        var done = new HashSet<EntityEntry>();
        while (tracker.Deleted().Where(done.Add).ToList() is { Count: > 0 } removed)
        {
            foreach (var (relation, principals) in RelationsOf(removed))
                Apply(tracker, relation, principals, [], undo);
        }
    }

    /// <summary>Applies the behaviors to tracked and stored entities.</summary>
    /// <param name="tracker">The tracked entities.</param>
    /// <param name="snapshot">The stored entities.</param>
    /// <param name="undo">Receives the actions that undo the changes if the save fails.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    /// <exception cref="InvalidOperationException">An entity cannot be deleted, because another one refers to it.</exception>
    public static async Task ApplyAsync(ChangeTracker tracker, StoreSnapshot snapshot, List<Action> undo, CancellationToken cancellationToken)
    {
        var done = new HashSet<EntityEntry>();
        var restricted = new List<(RelationModel Relation, EntityEntry Principal, EntityEntry Dependent)>();
        while (tracker.Deleted().Where(done.Add).ToList() is { Count: > 0 } removed)
        {
            foreach (var (relation, principals) in RelationsOf(removed))
            {
                object[] deleted = [.. principals.Values.Select(entry => entry.Entity)];
                foreach (var dependent in await RelatedReader.ReadDependentsAsync(relation, snapshot, deleted, cancellationToken).ConfigureAwait(false))
                    tracker.TrackRead(dependent);
                Apply(tracker, relation, principals, restricted, undo);
            }
        }
        foreach (var (relation, principal, dependent) in restricted)
        {
            if (IsOf(relation, dependent, principal.Key))
                throw relation.RestrictedDelete(principal.Key, dependent.Key, principal.IsOrphan ? principal.OrphanOf : null);
        }
    }

    /// <summary>Returns the relations by which others may refer to deleted entities, with the deleted entities by their keys.</summary>
    static IEnumerable<(RelationModel Relation, Dictionary<DocumentKey, EntityEntry> Principals)> RelationsOf(List<EntityEntry> removed) =>
        from entry in removed
        group entry by entry.Keyspace.Entity into ofClass
        let principals = ofClass.ToDictionary(entry => entry.Key)
        from relation in ofClass.Key.Relations
        where relation.Principals.Entity == ofClass.Key && relation.DeleteBehavior != DeleteBehavior.NoAction
        select (relation, principals);

    static void Apply(
        ChangeTracker tracker, RelationModel relation, Dictionary<DocumentKey, EntityEntry> removed, List<(RelationModel, EntityEntry, EntityEntry)> restricted,
        List<Action> undo)
    {
        // The current values decide: a dependent that refers to another entity by now stays, and one that was never saved is dropped.
        foreach (var dependent in tracker.All.Where(entry => entry.Keyspace.Entity == relation.Dependents.Entity && entry.CurrentState != EntityState.Deleted).ToList())
        {
            if (relation.PrincipalKeyOf(dependent.Entity) is not { } key || !removed.TryGetValue(key, out var principal))
                continue;
            switch (relation.DeleteBehavior)
            {
                case DeleteBehavior.Cascade:
                    if (!dependent.IsDeleteOverridden)
                        tracker.Cascade(dependent, undo);
                    break;
                case DeleteBehavior.SetNull:
                    var state = dependent.CurrentState;
                    bool hasReference = ReferenceEquals(relation.Reference?.TargetOf(dependent.Entity), principal.Entity);
                    relation.Clear(dependent.Entity);
                    relation.Reference?.Remove(dependent.Entity, principal.Entity);
                    // The change has to be written even without change detection.
                    if (state == EntityState.Unchanged)
                        dependent.CurrentState = EntityState.Modified;
                    undo.Add(() =>
                    {
                        // If an interceptor has set the reference since, the user's decision stands.
                        if (relation.PrincipalKeyOf(dependent.Entity) is not null)
                            return;
                        if (dependent.CurrentState == EntityState.Modified)
                            dependent.CurrentState = state;
                        relation.Refer(dependent.Entity, principal.Entity);
                        if (hasReference)
                            relation.Reference!.Add(dependent.Entity, principal.Entity);
                    });
                    break;
                default:
                    restricted.Add((relation, principal, dependent));
                    break;
            }
        }
    }

    static bool IsOf(RelationModel relation, EntityEntry dependent, DocumentKey key) =>
        dependent.CurrentState is not (EntityState.Deleted or EntityState.Detached) && relation.PrincipalKeyOf(dependent.Entity) == key;
}
