using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// Adds a <see cref="ReplicatedStore"/> to a running node: <c>await node.AddExtensionAsync(new ReplicatedStoreExtension(storage))</c>.
/// </summary>
/// <param name="storage">Where the replica keeps its data, disposed by its creator after the node; <see langword="null"/>: the node's own storage.</param>
/// <param name="options">The settings; <see langword="null"/>: those that the node was given by <c>WithStore</c>.</param>
public sealed class ReplicatedStoreExtension(IStorage? storage = null, ReplicatedStoreOptions? options = null) : IClusterExtension<ReplicatedStore>
{
    /// <inheritdoc/>
    public ValueTask<ReplicatedStore> StartAsync(DatacakeNode node, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(node);
        var chosen = storage ?? node.Storage ?? throw new InvalidOperationException(
            $"Node {node.Id} has no storage. Choose one when it starts (UseSqlite, UseLmdb, UseMemory), or hand one to the {nameof(ReplicatedStoreExtension)}.");
        return ReplicatedStore.OpenAsync(node, chosen, options ?? node.SettingsOf<ReplicatedStoreOptions>(), cancellationToken);
    }
}
