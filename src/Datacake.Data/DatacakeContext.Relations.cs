using Datacake.Data.Metadata;
using Datacake.EventualConsistency;

namespace Datacake.Data;

public abstract partial class DatacakeContext
{
    bool? _hasRelations;

    /// <summary>True if any entity class has relations.</summary>
    internal bool HasRelations => _hasRelations ??= Keyspaces.Any(static keyspace => keyspace.Entity.Relations.Count > 0);

    /// <summary>The model of a class that has a keyspace, or is stored in one; null if there is none.</summary>
    internal EntityModel? FindModel(Type type) => FindKeyspace(type)?.Entity;

    /// <summary>True if a type is an entity class, or a collection of one.</summary>
    internal bool IsEntity(Type type) => FindEntity(type) is not null;

    /// <summary>The model of an entity class, if a type is that or a collection of it; null if it is neither.</summary>
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

    /// <summary>Brings the tracked entities to what a save writes: with those that they lead to, and with what becomes of those that refer to deleted ones.</summary>
    /// <param name="store">The store.</param>
    /// <param name="undo">Takes what is to be done if the save fails.</param>
    /// <param name="cancellationToken">Stops reading.</param>
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
