namespace Datacake.EventualConsistency;

/// <summary>
/// The exception that is thrown on a write to a store that is no longer part of its cluster: it was retired, or its files were copied and
/// the copy was started. The store accepts no writes, because they would reach no other node. The message says why the store is excluded,
/// and what to do.
/// </summary>
public sealed class StoreExcludedException : InvalidOperationException
{
    /// <summary>Creates the exception.</summary>
    /// <param name="nodeId">The node whose store is excluded.</param>
    /// <param name="reason">The reason for the exclusion, as a clause.</param>
    public StoreExcludedException(byte nodeId, string reason)
        : base($"Node {nodeId} accepts no writes, because its store is no longer part of the cluster: {reason}. Nothing was written.")
    {
        NodeId = nodeId;
        Reason = reason;
    }

    /// <summary>Gets the node whose store is excluded.</summary>
    public byte NodeId { get; }

    /// <summary>Gets the reason for the exclusion, as a clause.</summary>
    public string Reason { get; }
}
