namespace Datacake.Administration;

/// <summary>The kinds of changes that a watch of a keyspace delivers.</summary>
public enum WatchedChangeKind
{
    /// <summary>A new document.</summary>
    Added,

    /// <summary>A document that was changed, or whose earlier content is not known.</summary>
    Changed,

    /// <summary>A document that was deleted.</summary>
    Deleted,

    /// <summary>Changes that can no longer be delivered, because the watcher was too slow.</summary>
    Gap,
}
