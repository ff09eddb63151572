namespace Datacake.EventualConsistency;

/// <summary>
/// Changes of a keyspace that are delivered together. All changes of a transaction are in the same batch, which may also have changes of
/// other transactions that were committed together with it.
/// </summary>
/// <param name="Changes">The changes, at most one per document. Empty when a watch starts, and usually if there is a gap.</param>
/// <param name="Position">The position that the watcher has reached with these changes, from which a later watch can continue.</param>
/// <param name="HasGap">
/// True if earlier changes can no longer be delivered, because the watcher was too slow or was away for too long. Anything derived from
/// earlier changes must be computed again from the documents.
/// </param>
public sealed record DocumentChanges(IReadOnlyList<DocumentChange> Changes, WatchPosition Position, bool HasGap)
{
    /// <summary>True if the documents were removed because they have expired, which no transaction and no position says.</summary>
    internal bool IsExpiry { get; init; }
}
