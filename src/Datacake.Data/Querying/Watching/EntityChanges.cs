using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>Changes of a query's results that are reported together. The changes of one transaction always are.</summary>
/// <param name="Changes">The changes, at most one for each entity.</param>
/// <param name="Position">
/// The position after these changes. <see cref="Query{T}.WatchAsync(WatchPosition, CancellationToken)"/> continues from it, even after a
/// restart.
/// </param>
/// <param name="HasGap">
/// True if the watcher was too slow, or away for too long, and earlier changes were discarded. In a watch that started with the current
/// results, these changes make up for the gap. In a watch that continues from a position, everything derived from earlier changes has to
/// be read again.
/// </param>
public sealed record EntityChanges<T>(IReadOnlyList<EntityChange<T>> Changes, WatchPosition Position, bool HasGap)
{
    /// <summary>Gets the entities that have become results.</summary>
    public IEnumerable<T> Added => Changes.Where(change => change.Kind == EntityChangeKind.Added).Select(change => change.After!);

    /// <summary>Gets the results that have changed, in their new state.</summary>
    public IEnumerable<T> Changed => Changes.Where(change => change.Kind == EntityChangeKind.Changed).Select(change => change.After!);

    /// <summary>Gets the keys of the entities that are no longer results.</summary>
    public IEnumerable<DocumentKey> Removed => Changes.Where(change => change.Kind == EntityChangeKind.Removed).Select(change => change.Key);
}
