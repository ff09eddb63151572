namespace Datacake.Data;

/// <summary>What became of an entity among the results of a query.</summary>
public enum EntityChangeKind
{
    /// <summary>It is a result now.</summary>
    Added,

    /// <summary>It is one still, and has changed.</summary>
    Changed,

    /// <summary>It is none any more: it was deleted, or changed so that the query leaves it out.</summary>
    Removed,
}
