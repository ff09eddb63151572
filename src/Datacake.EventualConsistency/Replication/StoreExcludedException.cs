namespace Datacake.EventualConsistency;

/// <summary>
/// The store is no longer part of its cluster: it was retired, or its files were copied and the copy was started. It takes no writes, since they would
/// reach nobody. The message says why, and what to do.
/// </summary>
public sealed class StoreExcludedException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="nodeId">The node whose store it is.</param>
    /// <param name="reason">Why, as a clause.</param>
    public StoreExcludedException(byte nodeId, string reason)
        : base($"Node {nodeId} takes no writes, since its store is no longer part of the cluster: {reason}. Nothing was written.")
    {
        NodeId = nodeId;
        Reason = reason;
    }

    /// <summary>The node whose store it is.</summary>
    public byte NodeId { get; }

    /// <summary>Why, as a clause.</summary>
    public string Reason { get; }
}
