namespace Datacake.EventualConsistency;

/// <summary>Changes of a keyspace that come together: those of a transaction always do, and of several that were committed as one.</summary>
/// <param name="Changes">What became of which document, each at most once. Empty when a watch starts, and mostly with a gap.</param>
/// <param name="Position">What the watcher has seen with this, for a later watch to go on from.</param>
/// <param name="HasGap">
/// Whether other changes came before these that cannot be told any more, since the watcher was too slow, or away for too long: what was made of earlier
/// ones has to be read anew.
/// </param>
public sealed record DocumentChanges(IReadOnlyList<DocumentChange> Changes, WatchPosition Position, bool HasGap);
