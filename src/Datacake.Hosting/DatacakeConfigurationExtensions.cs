using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Rpc;
using Microsoft.Extensions.Configuration;

namespace Datacake.Hosting;

/// <summary>Extension methods that configure a node from the configuration of an application.</summary>
public static class DatacakeConfigurationExtensions
{
    /// <summary>
    /// Applies the settings of a section, such as <c>builder.Configuration.GetSection("Datacake")</c>: <c>NodeId</c>, <c>ListenOn</c>,
    /// <c>AdvertiseAs</c>, <c>Seeds</c> (a list), <c>DataCenter</c>, <c>ClusterId</c>, <c>ClusterSecret</c>, <c>AcceptedClusterSecrets</c>
    /// (a list), <c>OperatorKeys</c> (a list), <c>AllowAnyone</c>, <c>MaxClockDifference</c>, <c>Labels</c> (names and values), <c>Tls</c>
    /// (the files, the server name and the other text settings of <see cref="RpcTls"/>, by their names) and <c>Store</c> (the properties of
    /// <see cref="ReplicatedStoreOptions"/>, by their names). Settings that the section does not have are made in code, such as the storage.
    /// </summary>
    /// <exception cref="InvalidOperationException">
    /// The section is missing; or a setting in it is unknown, has a malformed or invalid value, or was already made in code.
    /// </exception>
    public static DatacakeNodeOptions FromConfiguration(this DatacakeNodeOptions options, IConfigurationSection section)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(section);
        if (!section.Exists())
            throw new InvalidOperationException($"The configuration has no section '{section.Path}'. Add the section or correct its path.");
        var settings = new Dictionary<string, Action<IConfigurationSection>>(StringComparer.OrdinalIgnoreCase)
        {
            ["NodeId"] = setting => options.WithNodeId(setting.GetNumber()),
            ["ListenOn"] = setting => options.ListenOn(setting.GetText()),
            ["AdvertiseAs"] = setting => options.AdvertiseAs(setting.GetText()),
            ["Seeds"] = setting => options.WithSeeds(setting.GetTexts()),
            ["DataCenter"] = setting => options.InDataCenter(setting.GetText()),
            ["ClusterId"] = setting => options.WithClusterId(setting.GetText()),
            ["ClusterSecret"] = setting => options.WithClusterSecret(setting.GetText()),
            ["AcceptedClusterSecrets"] = setting => options.WithAcceptedClusterSecrets(setting.GetTexts()),
            ["OperatorKeys"] = setting => options.WithOperatorKeys(setting.GetTexts()),
            ["AllowAnyone"] = setting =>
            {
                if (setting.GetBoolean())
                    options.AllowAnyone();
            },
            ["Tls"] = setting => options.WithTls(TlsConfiguration.Read(setting)),
            ["MaxClockDifference"] = setting => options.WithMaxClockDifference(setting.GetTime()),
            ["Labels"] = setting =>
            {
                foreach (var label in setting.GetSettings())
                    options.WithLabel(label.Key, label.GetText());
            },
            ["Store"] = setting => StoreConfiguration.Apply(options, setting),
        };
        section.Apply(settings, "a node");
        return options;
    }
}
