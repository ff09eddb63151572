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

    /// <summary>
    /// Changes the settings of the node's scheduled backups: <c>options.WithBackups(backups =&gt; { backups.Folder = "/backups"; backups.Interval = TimeSpan.FromHours(6); })</c>.
    /// They begin when the administration is opened and the store has joined its cluster.
    /// </summary>
    /// <returns>The same options.</returns>
    public static DatacakeNodeOptions WithBackups(this DatacakeNodeOptions options, Action<BackupOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(options);
        return options.WithExtensionSettings(configure);
    }

    /// <summary>Starts the administration of a node, or returns the one that runs.</summary>
    /// <exception cref="ArgumentException">A setting is not valid.</exception>
    /// <exception cref="InvalidOperationException">Backups are to be made, but the node has its data in memory.</exception>
    public static ValueTask<NodeAdministration> OpenAdministrationAsync(this DatacakeNode node, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.GetOrAddExtensionAsync(new AdministrationExtension(options: null), cancellationToken);
    }
}
