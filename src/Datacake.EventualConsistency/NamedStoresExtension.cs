using Datacake.EventualConsistency.Options;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>The extension that adds the named stores to a node, without opening one.</summary>
sealed class NamedStoresExtension : IClusterExtension<NamedStores>
{
    public ValueTask<NamedStores> StartAsync(DatacakeNode node, CancellationToken cancellationToken) =>
        ValueTask.FromResult(new NamedStores(node, node.SettingsOf<NamedStoreSettings>()));
}
