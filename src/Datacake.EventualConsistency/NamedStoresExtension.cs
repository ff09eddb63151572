using Datacake.EventualConsistency.Options;
using Datacake.Node;

namespace Datacake.EventualConsistency;

/// <summary>The extension that adds the named stores to a node, without opening one.</summary>
sealed class NamedStoresExtension : IClusterExtension<NamedStores>
{
    public async ValueTask<NamedStores> StartAsync(DatacakeNode node, CancellationToken cancellationToken)
    {
        var held = new HeldStores(node.Storage);
        await held.LoadAsync(cancellationToken).ConfigureAwait(false);
        return new NamedStores(node, node.SettingsOf<NamedStoreSettings>(), held);
    }
}
