using Datacake.EventualConsistency.Options;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>Extension methods that configure and open the store of a node.</summary>
public static class DatacakeNodeStoreExtensions
{
    extension(DatacakeNode node)
    {
        /// <summary>Gets the leases of the cluster. The first use opens the store of the node, as <see cref="OpenStoreAsync(DatacakeNode, CancellationToken)"/> does.</summary>
        public NodeLeases Leases
        {
            get
            {
                ArgumentNullException.ThrowIfNull(node);
                return new NodeLeases(node);
            }
        }

        /// <summary>Gets the stores of the node that are open: its own store, if it is open, and then the named stores, ordered by name.</summary>
        public IReadOnlyList<ReplicatedStore> OpenStores
        {
            get
            {
                ArgumentNullException.ThrowIfNull(node);
                return node.FindExtension<ReplicatedStore>() is { } own ? [own, .. NamedOf(node)] : NamedOf(node);

                static IReadOnlyList<ReplicatedStore> NamedOf(DatacakeNode node) => node.FindExtension<NamedStores>()?.Open ?? [];
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
    /// Lets the node hold a named store: <c>options.WithStore("catalog", store => store.UseSqlite("catalog.db"))</c>. The store has its own
    /// members, the nodes that hold it, and its own file, consistency levels and limits. Further calls with the same name add to the configuration.
    /// </summary>
    /// <param name="options">The options of the node.</param>
    /// <param name="name">The name of the store, 1 to 200 bytes in UTF-8. It is the same on all nodes that hold the store.</param>
    /// <param name="configure">Chooses the storage, and changes the settings.</param>
    /// <remarks>The store opens with <see cref="OpenStoresAsync"/>, which <c>AddDatacake</c> calls; or with the first context, or call of <c>OpenStoreAsync</c>, that names it.</remarks>
    /// <exception cref="ArgumentException">The name is empty, too long or has control characters, or a setting is out of its range.</exception>
    public static DatacakeNodeOptions WithStore(this DatacakeNodeOptions options, string name, Action<NamedStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(configure);
        return options.WithExtensionSettings<NamedStoreSettings>(stores => stores.Configure(name, configure));
    }

    /// <summary>
    /// Makes the node a follower of a cluster: its store has the data of the cluster's members, and the node is not one of them. It needs no node id, listens on no address that others could
    /// reach, and takes no part in gossip; it dials one of the given members, so it may be behind a NAT. Reads, queries and watches are local. Saves go through the member, with the same levels.
    /// </summary>
    /// <param name="options">The options of the node. They need a cluster id, a storage, and whatever secret or certificate the members require.</param>
    /// <param name="members">The addresses of one or more members. The follower uses one at a time, and another one if that fails.</param>
    /// <exception cref="ArgumentException">There is no address, or one is not valid.</exception>
    /// <exception cref="InvalidOperationException">The node has a node id or an address to listen on already.</exception>
    public static DatacakeNodeOptions AsFollower(this DatacakeNodeOptions options, params string[] members)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(members);
        if (members.Length == 0)
            throw new ArgumentException("A follower that is no node of the cluster needs the address of at least one member: AsFollower(\"hub:7000\").", nameof(members));
        // The node is alone in its own gossip. Its id is in no stamp, and no other node can reach it.
        return options.WithNodeId(0).ListenOn("127.0.0.1:0").WithStore(store => Follow(store, members));
    }

    /// <summary>
    /// Makes the store a follower: this node has the data of the nodes that hold the store, and is not one of them:
    /// <c>options.WithStore("catalog", store => store.UseSqlite("catalog.db").AsFollower())</c>.
    /// </summary>
    /// <param name="store">The options of the store.</param>
    /// <param name="members">The addresses of nodes that hold the store; none for all that this node knows by gossip.</param>
    /// <exception cref="ArgumentException">An address is not valid.</exception>
    public static NamedStoreOptions AsFollower(this NamedStoreOptions store, params string[] members)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(members);
        Follow(store.Settings, members);
        return store;
    }

    static void Follow(ReplicatedStoreOptions store, string[] members)
    {
        store.IsFollower = true;
        store.FollowedMembers.Clear();
        foreach (string member in members)
        {
            DatacakeNode.CheckAddress(member);
            store.FollowedMembers.Add(member);
        }
    }

    /// <summary>
    /// Lets the node hold named stores of which it learns only when they are used, such as one for each tenant:
    /// <c>options.WithStores(name => name.StartsWith("tenant/") ? store => store.UseSqlite(FileOf(name)) : null)</c>.
    /// </summary>
    /// <param name="options">The options of the node.</param>
    /// <param name="resolve">
    /// Returns the configuration of a store by its name, or null if this node does not hold it. Stores that were configured with <c>WithStore</c> are not passed to it. It is called when
    /// a context, or a call of <c>OpenStoreAsync</c>, names a store that is not open.
    /// </param>
    public static DatacakeNodeOptions WithStores(this DatacakeNodeOptions options, Func<string, Action<NamedStoreOptions>?> resolve)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(resolve);
        return options.WithExtensionSettings<NamedStoreSettings>(stores => stores.Resolve = resolve);
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

    /// <summary>
    /// Opens a named store, from which on the node takes part in its replication; or returns it if it is open. The node must have a configuration for it.
    /// </summary>
    /// <exception cref="StoreNotHeldException">The node has no configuration for the store. The message names the nodes that hold it.</exception>
    /// <exception cref="ArgumentException">The name is empty, too long or has control characters.</exception>
    /// <exception cref="InvalidOperationException">The configuration chooses no storage.</exception>
    /// <exception cref="StorageException">The storage cannot be opened.</exception>
    public static async ValueTask<ReplicatedStore> OpenStoreAsync(this DatacakeNode node, string name, CancellationToken cancellationToken = default)
    {
        var stores = await StoresOfAsync(node, cancellationToken).ConfigureAwait(false);
        return await stores.OpenAsync(name, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Opens a named store for which the node has no configuration yet, from which on the node takes part in its replication:
    /// <c>node.OpenStoreAsync("shop/17", store => store.UseSqlite("shop-17.db"))</c>.
    /// </summary>
    /// <exception cref="ArgumentException">The name is empty, too long or has control characters, or a setting is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The store is open already, or no storage was chosen.</exception>
    /// <exception cref="StorageException">The storage cannot be opened.</exception>
    public static async ValueTask<ReplicatedStore> OpenStoreAsync(
        this DatacakeNode node, string name, Action<NamedStoreOptions> configure, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new NamedStoreOptions();
        configure(options);
        var stores = await StoresOfAsync(node, cancellationToken).ConfigureAwait(false);
        return await stores.OpenAsync(name, options, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Opens all named stores for which the node was configured with <c>WithStore</c>, and those of <c>WithStores</c> that it has opened before, in an earlier
    /// run, too. Does nothing to those that are open.
    /// </summary>
    /// <exception cref="InvalidOperationException">A configuration by name chooses no storage.</exception>
    /// <exception cref="StorageException">A storage cannot be opened.</exception>
    public static async ValueTask OpenStoresAsync(this DatacakeNode node, CancellationToken cancellationToken = default)
    {
        var stores = await StoresOfAsync(node, cancellationToken).ConfigureAwait(false);
        await stores.OpenAllAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Closes a named store while the node runs. Its data is kept, and it remains a member of its store: it counts for the consistency levels, and catches up
    /// when it is opened again. Before, it waits for at most <see cref="ReplicatedStoreOptions.StopTimeout"/> until the other holders have everything that
    /// this node has written.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="name">The name of the store.</param>
    /// <param name="isForGood">
    /// True if the node gives up its data of the store, whether others have it or not, and no longer counts as one that has it (<see cref="ReleaseStoreAsync"/> waits until others have
    /// everything, and is to be preferred). Retire the node at another holder then
    /// (<see cref="ReplicatedStore.RetireAsync(byte, CancellationToken)"/>), so that it counts for no level, and delete its files.
    /// </param>
    /// <param name="cancellationToken">Cancels the start of the named stores, if they are not started yet.</param>
    /// <returns>False if the store is not open.</returns>
    public static async ValueTask<bool> CloseStoreAsync(this DatacakeNode node, string name, bool isForGood = false, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        DatacakeNode.CheckStoreName(name);
        var stores = await StoresOfAsync(node, cancellationToken).ConfigureAwait(false);
        return await stores.CloseAsync(name, isForGood).ConfigureAwait(false);
    }

    /// <summary>
    /// Gives up a named store while the node runs, in an orderly way: waits until enough other holders have everything, leaves the store's cluster, and closes the store for good, as
    /// <see cref="CloseStoreAsync"/> does. Its files can be deleted then. To move a store to another node, open it there first: <c>await node.ReleaseStoreAsync("shop/17")</c>.
    /// </summary>
    /// <param name="node">The node.</param>
    /// <param name="name">The name of the store.</param>
    /// <param name="options">The options; null for the defaults.</param>
    /// <param name="cancellationToken">Cancels the wait. The store remains open then.</param>
    /// <remarks>
    /// A node that has released a store does not open it again by itself, although <c>WithStore</c> or <c>WithStores</c> may name it, unless it is told to with <c>OpenStoreAsync</c> and a
    /// configuration. It remembers that in its own storage, if it has one.
    /// </remarks>
    /// <exception cref="InvalidOperationException">
    /// The store is not open, or no other node holds it, or it is a follower, or is being released already; or the node has operator keys and the options have none. Nothing was changed.
    /// </exception>
    /// <exception cref="ArgumentException">The name is not valid, an option is out of its range, or the key is not one that this node accepts. Nothing was changed.</exception>
    /// <exception cref="TimeoutException">The store could not leave in time. The message says why. It remains open, and accepts writes again.</exception>
    public static async ValueTask ReleaseStoreAsync(this DatacakeNode node, string name, ReleaseOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        DatacakeNode.CheckStoreName(name);
        var stores = await StoresOfAsync(node, cancellationToken).ConfigureAwait(false);
        await stores.ReleaseAsync(name, options, cancellationToken).ConfigureAwait(false);
    }

    static ValueTask<NamedStores> StoresOfAsync(DatacakeNode node, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.GetOrAddExtensionAsync(new NamedStoresExtension(), cancellationToken);
    }
}
