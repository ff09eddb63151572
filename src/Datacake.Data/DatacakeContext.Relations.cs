using Datacake.Data.ChangeTracking;
using Datacake.Data.Saving;
using Datacake.EventualConsistency;

namespace Datacake.Data;

public abstract partial class DatacakeContext
{
    /// <summary>
    /// Prepares the tracked entities for a save: tracks the entities that are reachable from them, and applies the delete behaviors to the
    /// dependents of deleted entities.
    /// </summary>
    /// <param name="store">The store.</param>
    /// <param name="undo">Receives the actions that undo the changes if the save fails.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    async Task FollowRelationsAsync(ReplicatedStore store, List<Action> undo, CancellationToken cancellationToken)
    {
        if (!Model.HasRelations)
            return;
        if (ChangeTracker.AutoDetectChangesEnabled)
            ChangeTracker.FixRelations(isSaving: true);
        var reached = ChangeTracker.MayBeStored();
        if (reached.Count == 0 && !ChangeTracker.Deleted().Any())
            return;
        using var snapshot = await store.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        snapshot.Observer = Reads;
        foreach (var entry in reached)
        {
            if (await snapshot.GetAsync(entry.Keyspace.Name, entry.Key, cancellationToken).ConfigureAwait(false) is not null)
                (entry.CurrentState, entry.IsAsserted) = (EntityState.Modified, true);
        }
        await DeleteBehaviors.ApplyAsync(ChangeTracker, snapshot, undo, cancellationToken).ConfigureAwait(false);
    }

    /// <param name="writes">The writes of a save.</param>
    /// <param name="numbers">The numbers that the save was assigned.</param>
    void Accept(IReadOnlyList<PendingWrite> writes, IReadOnlyList<long> numbers)
    {
        writes = SerialNumbers.Assign(writes, numbers);
        foreach (var write in writes)
            ChangeTracker.Accept(write.Entry, write.Content, write.Changes, write.Document);
        if (!Model.HasRelations)
            return;
        Disconnect(writes);
        ChangeTracker.AcceptRelations();
    }

    /// <summary>Accepts a save whose outcome was not known until now. What the user has changed meanwhile stays pending.</summary>
    /// <param name="writes">The writes of the save.</param>
    /// <param name="numbers">The numbers that the save was assigned.</param>
    void AcceptLate(IReadOnlyList<PendingWrite> writes, IReadOnlyList<long> numbers)
    {
        writes = SerialNumbers.Assign(writes, numbers);
        ChangeTracker.AcceptLate(writes);
        if (!Model.HasRelations)
            return;
        Disconnect(writes);
        ChangeTracker.AcceptRelations(writes.Select(static write => write.Entry).Where(static entry => entry.CurrentState is EntityState.Unchanged or EntityState.Modified));
    }

    /// <summary>Removes entities that were deleted from the navigations of others.</summary>
    void Disconnect(IReadOnlyList<PendingWrite> writes) => ChangeTracker.Disconnect(
        writes.Where(static write => write.Content is null && write.Entry.CurrentState == EntityState.Detached).Select(static write => write.Entry.Entity).ToHashSet(ReferenceEqualityComparer.Instance));
}
