namespace Datacake.PostgreSql.Projection;

/// <summary>The state of a projected table on a node.</summary>
public enum ProjectionState
{
    /// <summary>Another node keeps the table, or this one is about to.</summary>
    Waiting,

    /// <summary>This node loads all entities into the table. Readers see the old rows until it is done.</summary>
    Loading,

    /// <summary>This node applies changes to the table as they are made.</summary>
    Following,

    /// <summary>This node has failed to keep the table, and retries after a delay. Another node may keep it meanwhile.</summary>
    Failed,
}
