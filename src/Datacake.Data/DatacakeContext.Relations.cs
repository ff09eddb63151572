using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data;

public abstract partial class DatacakeContext
{
    bool? _hasRelations;

    /// <summary>True if any entity class has relations.</summary>
    internal bool HasRelations => _hasRelations ??= Keyspaces.Any(static keyspace => keyspace.Entity.Relations.Count > 0);

    /// <summary>Returns the model of an entity class; null if no keyspace stores the class.</summary>
    internal EntityModel? FindModel(Type type) => FindKeyspace(type)?.Entity;

    /// <summary>Returns true if a type is an entity class or a collection of one.</summary>
    internal bool IsEntity(Type type) => FindEntity(type) is not null;

    /// <summary>Returns the model of an entity class, given the class or a collection of it; null for any other type.</summary>
    internal EntityModel? FindEntity(Type type)
    {
        if (type == typeof(string) || type == typeof(object))
            return null;
        foreach (var keyspace in Keyspaces)
        {
            if (keyspace.Entity.Type.IsAssignableFrom(type) || keyspace.Entity.CollectionType.IsAssignableFrom(type))
                return keyspace.Entity;
        }
        return null;
    }

    /// <summary>
    /// Prepares the tracked entities for a save: tracks the entities that are reachable from them, and applies the delete behaviors to the
    /// dependents of deleted entities.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="undo">Receives the actions that undo the changes if the save fails.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    async Task FollowRelationsAsync(ReplicatedStore store, List<Action> undo, CancellationToken cancellationToken)
    {
        if (!HasRelations)
            return;
        if (ChangeTracker.AutoDetectChangesEnabled)
            ChangeTracker.FixRelations(isSaving: true);
        var reached = ChangeTracker.MayBeStored();
        if (reached.Count == 0 && !ChangeTracker.Deleted().Any())
            return;
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        foreach (var entry in reached)
        {
            if (await snapshot.GetAsync(entry.Keyspace.Name, entry.Key, cancellationToken).ConfigureAwait(false) is not null)
                (entry.CurrentState, entry.IsAsserted) = (EntityState.Modified, true);
        }
        await DeleteBehaviors.ApplyAsync(ChangeTracker, snapshot, undo, cancellationToken).ConfigureAwait(false);
    }

    void Accept(IReadOnlyList<PendingWrite> writes)
    {
        var deleted = writes.Where(static write => write.Content is null).Select(static write => write.Entry.Entity).ToHashSet(ReferenceEqualityComparer.Instance);
        foreach (var write in writes)
            ChangeTracker.Accept(write.Entry, write.Content, write.Changes);
        if (!HasRelations)
            return;
        ChangeTracker.Disconnect(deleted);
        ChangeTracker.AcceptRelations();
    }
}
