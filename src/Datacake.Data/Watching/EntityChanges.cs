using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>Changes of a query's results that come together: those of a transaction always do.</summary>
/// <param name="Changes">What became of which entity, each at most once.</param>
/// <param name="Position">
/// What the watcher has seen with this: <see cref="Query{T}.WatchAsync(WatchPosition, CancellationToken)"/> goes on from it, also after a restart.
/// </param>
/// <param name="HasGap">
/// Whether the watcher was too slow, or away for too long, and the steps before these changes are forgotten. In a watch that began with the
/// current results, these changes make up for it; in one that goes on from a position, what was made of earlier changes has to be read anew.
/// </param>
public sealed record EntityChanges<T>(IReadOnlyList<EntityChange<T>> Changes, WatchPosition Position, bool HasGap)
{
    /// <summary>The entities that are results now and were none before.</summary>
    public IEnumerable<T> Added => Changes.Where(change => change.Kind == EntityChangeKind.Added).Select(change => change.After!);

    /// <summary>The entities that are results still, and have changed, as they are now.</summary>
    public IEnumerable<T> Changed => Changes.Where(change => change.Kind == EntityChangeKind.Changed).Select(change => change.After!);

    /// <summary>The keys of the entities that are results no more.</summary>
    public IEnumerable<DocumentKey> Removed => Changes.Where(change => change.Kind == EntityChangeKind.Removed).Select(change => change.Key);
}
