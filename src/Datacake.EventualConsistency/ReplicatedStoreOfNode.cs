using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>Configures and finds the store of a node.</summary>
public static class ReplicatedStoreOfNode
{
    /// <summary>Changes the settings of the node's store: <c>options.UseSqlite("shop.db").WithStore(store => store.JoinTimeout = …)</c>.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static DatacakeNodeOptions WithStore(this DatacakeNodeOptions options, Action<ReplicatedStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(configure);
        return options.WithExtensionSettings<ReplicatedStoreOptions>(store =>
        {
            configure(store);
            store.Validate();
        });
    }

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
