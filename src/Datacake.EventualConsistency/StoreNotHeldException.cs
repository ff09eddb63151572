using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>The error of an access to a named store that this node does not hold. It names the nodes that do.</summary>
public sealed class StoreNotHeldException : InvalidOperationException
{
    internal StoreNotHeldException(byte nodeId, string store, IReadOnlyList<ClusterMember> holders, bool isGivenUp = false)
        : base(
            $"Node {nodeId} does not hold the store '{store}'{(isGivenUp ? " any more, because it has released it, or has closed it for good" : "")}. "
            + (holders.Count == 0 ? "No node that holds it is known" : $"It is held by {string.Join(", ", holders)}")
            + (isGivenUp ? ". Use one of its holders; or let this node hold the store again, with new files: OpenStoreAsync with a configuration."
                : $". Use one of its holders; or let this node hold the store, too: WithStore(\"{store}\", store => store.UseSqlite(…)) when the node starts, or OpenStoreAsync with a configuration."))
    {
        Store = store;
        Holders = holders;
    }

    /// <summary>Gets the name of the store.</summary>
    public string Store { get; }

    /// <summary>Gets the nodes that hold the store, as far as gossip has told this node.</summary>
    public IReadOnlyList<ClusterMember> Holders { get; }
}
