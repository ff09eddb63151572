namespace Datacake.Data;

/// <summary>The kind of change of an entity among the results of a query.</summary>
public enum EntityChangeKind
{
    /// <summary>An entity that has become a result.</summary>
    Added,

    /// <summary>A result that has changed and is still a result.</summary>
    Changed,

    /// <summary>An entity that is no longer a result, because it was deleted or no longer satisfies the query.</summary>
    Removed,
}
