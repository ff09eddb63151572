using Datacake.EventualConsistency.Hosts;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// The extension that adds a <see cref="ReplicatedStore"/> to a running node: <c>await node.AddExtensionAsync(new
/// ReplicatedStoreExtension(storage))</c>.
/// </summary>
/// <param name="storage">
/// The storage in which the replica keeps its data. Its creator disposes it after the node. If <see langword="null"/>, the node's own
/// storage is used.
/// </param>
/// <param name="options">
/// The settings of the store. If <see langword="null"/>, the settings that the node was given by <c>WithStore</c> are used.
/// </param>
public sealed class ReplicatedStoreExtension(IStorage? storage, ReplicatedStoreOptions? options) : IClusterExtension<ReplicatedStore>
{
    /// <summary>Creates an extension whose store has the storage and the settings of the node.</summary>
    public ReplicatedStoreExtension()
        : this(storage: null)
    {
    }

    /// <summary>Creates an extension whose store has the settings of the node.</summary>
    /// <param name="storage">The storage, or <see langword="null"/> for the node's own.</param>
    public ReplicatedStoreExtension(IStorage? storage)
        : this(storage, options: null)
    {
    }

    /// <summary>Creates an extension whose store has other settings than the defaults.</summary>
    /// <param name="storage">The storage, or <see langword="null"/> for the node's own.</param>
    /// <param name="configure">Sets the settings of the store.</param>
    public ReplicatedStoreExtension(IStorage? storage, Action<ReplicatedStoreOptions> configure)
        : this(storage, Configured(configure))
    {
    }

    /// <inheritdoc/>
    public async ValueTask<ReplicatedStore> StartAsync(DatacakeNode node, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(node);
        var chosen = storage ?? node.Storage ?? throw new InvalidOperationException(
            $"Node {node.Id} has no storage. Choose one when the node starts (UseSqlite, UseLmdb, UsePostgreSql, UseMemory), or pass one to the {nameof(ReplicatedStoreExtension)}.");
        // Other nodes ask every node whether it holds a named store before they form one.
        await node.GetOrAddExtensionAsync(new NamedStoresExtension(), cancellationToken).ConfigureAwait(false);
        return await ReplicatedStore.OpenAsync(new StoreHost(node, ""), chosen, options ?? node.SettingsOf<ReplicatedStoreOptions>(), cancellationToken).ConfigureAwait(false);
    }

    static ReplicatedStoreOptions Configured(Action<ReplicatedStoreOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new ReplicatedStoreOptions();
        configure(options);
        return options;
    }
}
