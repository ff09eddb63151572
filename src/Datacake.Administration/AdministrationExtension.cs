using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Administration;

/// <summary>The extension that adds the administration to a node, and opens its store if that is not open yet.</summary>
/// <param name="options">The settings, or <see langword="null"/> for those that the node was given by <c>WithAdministration</c>.</param>
sealed class AdministrationExtension(AdministrationOptions? options) : IClusterExtension<NodeAdministration>
{
    public async ValueTask<NodeAdministration> StartAsync(DatacakeNode node, CancellationToken cancellationToken) => new(
        await node.OpenStoreAsync(cancellationToken).ConfigureAwait(false), options ?? node.SettingsOf<AdministrationOptions>(),
        node.SettingsOf<BackupOptions>());
}
