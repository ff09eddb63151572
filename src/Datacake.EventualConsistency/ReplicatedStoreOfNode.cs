using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>Finds the store of a node.</summary>
public static class ReplicatedStoreOfNode
{
    /// <summary>
    /// The node's <see cref="ReplicatedStore"/>; the first call adds it, over the storage that the node was given. From then on the node takes part
    /// in replication.
    /// </summary>
    /// <exception cref="InvalidOperationException">The node was given no storage.</exception>
    public static ValueTask<ReplicatedStore> OpenStoreAsync(this DatacakeNode node, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.GetOrAddExtensionAsync(new ReplicatedStoreExtension(), cancellationToken);
    }
}
