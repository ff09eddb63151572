using System.Globalization;
using Datacake.Node;
using Microsoft.Extensions.Configuration;

namespace Datacake.Hosting;

/// <summary>Configures a node from what an application is configured with.</summary>
public static class DatacakeConfiguration
{
    static readonly Dictionary<string, Action<DatacakeNodeOptions, IConfigurationSection>> Settings = new(StringComparer.OrdinalIgnoreCase)
    {
        ["NodeId"] = (options, setting) => options.WithNodeId(NumberOf(setting)),
        ["ListenOn"] = (options, setting) => options.ListenOn(TextOf(setting)),
        ["AdvertiseAs"] = (options, setting) => options.AdvertiseAs(TextOf(setting)),
        ["Seeds"] = (options, setting) => options.WithSeeds(setting.GetChildren().Select(TextOf)),
        ["DataCenter"] = (options, setting) => options.InDataCenter(TextOf(setting)),
        ["ClusterId"] = (options, setting) => options.WithClusterId(TextOf(setting)),
        ["ClusterSecret"] = (options, setting) => options.WithClusterSecret(TextOf(setting)),
        ["Labels"] = (options, setting) =>
        {
            foreach (var label in setting.GetChildren())
                options.WithLabel(label.Key, TextOf(label));
        },
    };

    /// <summary>
    /// Makes the settings of a section, such as <c>builder.Configuration.GetSection("Datacake")</c>: <c>NodeId</c>, <c>ListenOn</c>, <c>AdvertiseAs</c>,
    /// <c>Seeds</c> (a list), <c>DataCenter</c>, <c>ClusterId</c>, <c>ClusterSecret</c>, <c>Labels</c> (names and texts). What it does not have stays
    /// to be made in code, as the storage does.
    /// </summary>
    /// <exception cref="InvalidOperationException">The section is missing, or has a setting of another name or without a fitting value.</exception>
    /// <exception cref="ArgumentException">A value is not one that the setting may have.</exception>
    public static DatacakeNodeOptions FromConfiguration(this DatacakeNodeOptions options, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(section);
        if (!section.Exists())
            throw new InvalidOperationException($"The configuration has no section '{section.Path}'.");
        foreach (var setting in section.GetChildren())
        {
            if (!Settings.TryGetValue(setting.Key, out var apply))
                throw new InvalidOperationException($"'{setting.Path}' is not a setting of a node. There are: {string.Join(", ", Settings.Keys)}.");
            apply(options, setting);
        }
        return options;
    }

    static string TextOf(IConfigurationSection setting) =>
        setting.Value ?? throw new InvalidOperationException($"'{setting.Path}' needs one value.");

    static int NumberOf(IConfigurationSection setting) =>
        int.TryParse(TextOf(setting), NumberStyles.None, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new InvalidOperationException($"'{setting.Path}' is '{setting.Value}', which is not a number.");
}
