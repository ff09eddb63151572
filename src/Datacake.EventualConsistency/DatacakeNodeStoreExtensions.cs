using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>Extension methods that configure and open the store of a node.</summary>
public static class DatacakeNodeStoreExtensions
{
    extension(DatacakeNode node)
    {
        /// <summary>Gets the leases of the cluster. The first use opens the store of the node, as <see cref="OpenStoreAsync"/> does.</summary>
        public NodeLeases Leases
        {
            get
            {
                ArgumentNullException.ThrowIfNull(node);
                return new NodeLeases(node);
            }
        }
    }

    /// <summary>Configures the store of the node: <c>options.UseSqlite("shop.db").WithStore(store => store.JoinTimeout = …)</c>.</summary>
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
    /// Opens the <see cref="ReplicatedStore"/> of the node. The first call creates it on the storage that the node was given, and the node
    /// takes part in replication from then on. Later calls return the same store.
    /// </summary>
    /// <exception cref="InvalidOperationException">The node has no storage.</exception>
    public static ValueTask<ReplicatedStore> OpenStoreAsync(this DatacakeNode node, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.GetOrAddExtensionAsync(new ReplicatedStoreExtension(), cancellationToken);
    }
}
