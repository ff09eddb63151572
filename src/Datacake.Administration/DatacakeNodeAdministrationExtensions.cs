using Datacake.Node;

namespace Datacake.Administration;

/// <summary>Extension methods that let a node be administered from outside its process.</summary>
public static class DatacakeNodeAdministrationExtensions
{
    /// <summary>Changes the settings of the node's administration.</summary>
    /// <returns>The same options.</returns>
    public static DatacakeNodeOptions WithAdministration(this DatacakeNodeOptions options, Action<AdministrationOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.WithExtensionSettings(configure);
    }

    /// <summary>Starts the administration of a node, or returns the one that runs.</summary>
    /// <exception cref="ArgumentException">A setting is not valid.</exception>
    public static ValueTask<NodeAdministration> OpenAdministrationAsync(this DatacakeNode node, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.GetOrAddExtensionAsync(new AdministrationExtension(options: null), cancellationToken);
    }
}
