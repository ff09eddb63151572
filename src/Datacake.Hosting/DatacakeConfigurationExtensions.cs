using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Storage;
using Microsoft.Extensions.Configuration;

namespace Datacake.Hosting;

/// <summary>Extension methods that configure a node from the configuration of an application.</summary>
public static class DatacakeConfigurationExtensions
{
    /// <summary>
    /// Applies the settings of a section, such as <c>builder.Configuration.GetSection("Datacake")</c>. The section can have all settings
    /// that code can make, except for objects such as the transport: see the README of Datacake.Hosting. A storage other than memory must be
    /// made available first, for example with <c>options.AddSqlite()</c>.
    /// </summary>
    /// <remarks>
    /// A setting that is unknown, malformed or invalid, or that was already made in code, keeps the node from starting.
    /// <see cref="DatacakeNode.StartAsync"/>, or the start of the host, then throws an <see cref="InvalidOperationException"/> that names
    /// each of them with its path, before anything is opened or stored.
    /// </remarks>
    /// <exception cref="InvalidOperationException">The section is missing.</exception>
    public static DatacakeNodeOptions FromConfiguration(this DatacakeNodeOptions options, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(section);
        if (!section.Exists())
            throw new InvalidOperationException($"The configuration has no section '{section.Path}'. Add the section or correct its path.");
        SettingsReader.ReadAll(section, "a node", options.Refuse, settings => NodeConfiguration.Read(settings, options));
        return options;
    }

    /// <summary>
    /// Makes the start of the host wait until the store of the node has joined its cluster, so that services that start later, and the first
    /// requests, find its data.
    /// </summary>
    /// <param name="options">The options of the node.</param>
    /// <param name="timeout">
    /// The time after which the start of the host fails with a <see cref="TimeoutException"/> that says why the store has not joined.
    /// </param>
    /// <exception cref="ArgumentOutOfRangeException">The timeout is not positive.</exception>
    public static DatacakeNodeOptions WaitForJoin(this DatacakeNodeOptions options, TimeSpan timeout)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        return options.WithExtensionSettings<HostStart>(start => start.JoinTimeout = timeout);
    }
}
