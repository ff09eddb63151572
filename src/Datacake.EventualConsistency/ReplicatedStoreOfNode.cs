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
    public static async ValueTask<ReplicatedStore> OpenStoreAsync(this DatacakeNode node, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.FindExtension<ReplicatedStore>() is { } found)
            return found;
        try
        {
            return await node.AddExtensionAsync(new ReplicatedStoreExtension(), cancellationToken).ConfigureAwait(false);
        }
        catch (InvalidOperationException) when (node.FindExtension<ReplicatedStore>() is not null)
        {
            // Another caller was faster.
            return node.FindExtension<ReplicatedStore>()!;
        }
    }
}
