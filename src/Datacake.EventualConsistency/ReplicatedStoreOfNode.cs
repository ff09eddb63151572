using System.Runtime.CompilerServices;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>Finds the store of a node.</summary>
public static class ReplicatedStoreOfNode
{
    // Belongs to the nodes, and goes with them: who is first at a node opens its store, and the others wait for that.
    static readonly ConditionalWeakTable<DatacakeNode, SemaphoreSlim> Turns = [];

    /// <summary>
    /// The node's <see cref="ReplicatedStore"/>; the first call adds it, over the storage that the node was given. From then on the node takes part
    /// in replication.
    /// </summary>
    /// <exception cref="InvalidOperationException">The node was given no storage.</exception>
    public static async ValueTask<ReplicatedStore> OpenStoreAsync(this DatacakeNode node, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        if (node.FindExtension<ReplicatedStore>() is { } open)
            return open;
        var turn = Turns.GetValue(node, static _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            return node.FindExtension<ReplicatedStore>()
                ?? await node.AddExtensionAsync(new ReplicatedStoreExtension(), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            turn.Release();
        }
    }
}
