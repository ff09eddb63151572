using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.ChangeTracking;

/// <summary>
/// The entities that a context tracks at a moment when nothing is to be saved. The context can return to it, so that changes since then are discarded and the
/// entities stay tracked. Not thread-safe, like the context.
/// </summary>
sealed class TrackerCheckpoint
{
    readonly ChangeTracker _tracker;
    readonly List<(EntityEntry Entry, IReadOnlyList<NavigationState> Navigations)> _entries;

    /// <summary>Creates a checkpoint of the present.</summary>
    public TrackerCheckpoint(ChangeTracker tracker)
    {
        _tracker = tracker;
        _entries = [.. tracker.All.Select(static entry => (entry, NavigationsOf(entry)))];
    }

    /// <summary>
    /// Discards all changes since: stops tracking all other entities, and gives those of the checkpoint the values and navigations that they had. An entity that
    /// was saved as deleted, or detached one by one, is no longer tracked.
    /// </summary>
    public void Return()
    {
        var kept = _entries.Select(static known => known.Entry).ToHashSet();
        // An entity that was to be replaced is tracked again when its replacement is forgotten.
        while (_tracker.All.Where(entry => !kept.Contains(entry)).ToList() is { Count: > 0 } others)
            others.ForEach(_tracker.Forget);
        foreach (var (entry, _) in _entries)
            _tracker.Return(entry);
        foreach (var (entry, navigations) in _entries.Where(static known => known.Entry.CurrentState != EntityState.Detached))
        {
            foreach (var (navigation, targets, loaded, isLoaded) in navigations)
            {
                var current = navigation.TargetsOf(entry.Entity);
                foreach (object target in current.Except(targets, ReferenceEqualityComparer.Instance).ToList())
                    navigation.Remove(entry.Entity, target!);
                foreach (object target in targets.Except(current, ReferenceEqualityComparer.Instance).ToList())
                    navigation.Add(entry.Entity, target!);
                entry.SetLoaded(navigation, loaded, isLoaded);
            }
        }
    }

    /// <summary>Reads the entities of the checkpoint again. Those that are no longer stored are no longer tracked.</summary>
    /// <exception cref="UnreadableEntityException">A stored entity does not match its class.</exception>
    public async Task ReloadAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        foreach (var (entry, _) in _entries)
        {
            if (entry.CurrentState == EntityState.Detached)
                continue;
            if (await snapshot.GetAsync(entry.Keyspace.Name, entry.Key, cancellationToken).ConfigureAwait(false) is { } document)
                entry.SetToStored(entry.Key, document);
            else
                entry.Detach(entry.Key);
        }
    }

    static IReadOnlyList<NavigationState> NavigationsOf(EntityEntry entry) => entry.Keyspace.Entity.Navigations.Count == 0
        ? []
        : [.. entry.Keyspace.Entity.Navigations.Select(navigation =>
            new NavigationState(navigation, [.. navigation.TargetsOf(entry.Entity)], [.. entry.LoadedOf(navigation)], entry.IsLoaded(navigation)))];

    /// <summary>The targets of a navigation, and those that it had when it was last loaded, saved or examined.</summary>
    readonly record struct NavigationState(NavigationModel Navigation, object[] Targets, object[] Loaded, bool IsLoaded);
}
