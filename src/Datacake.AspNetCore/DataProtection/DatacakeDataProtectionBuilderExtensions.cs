using Datacake.AspNetCore.DataProtection;
using Datacake.AspNetCore.Nodes;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.DataProtection.KeyManagement.Internal;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Datacake.AspNetCore;

/// <summary>Extension methods that keep the keys of data protection in a cluster.</summary>
public static class DatacakeDataProtectionBuilderExtensions
{
    /// <summary>
    /// Keeps the keys of data protection in a keyspace of the cluster, so that each node can read what another one has protected, such as cookies and antiforgery tokens. A key or revocation that is made
    /// on one node is used by all others as soon as they have received it. Call <c>SetApplicationName</c> with the same name on all nodes, too, and <c>AddDatacake</c> before <c>AddDataProtection</c>.
    /// </summary>
    /// <remarks>The keys are stored as they are, unless they are encrypted, for example with <c>ProtectKeysWithCertificate</c>.</remarks>
    public static IDataProtectionBuilder PersistKeysToDatacake(this IDataProtectionBuilder builder) => builder.PersistKeysToDatacake(static _ => { });

    /// <summary>Keeps the keys in a keyspace of the cluster, like <see cref="PersistKeysToDatacake(IDataProtectionBuilder)"/>, with other settings than the defaults.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static IDataProtectionBuilder PersistKeysToDatacake(this IDataProtectionBuilder builder, Action<DatacakeDataProtectionOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new DatacakeDataProtectionOptions();
        configure(options);
        options.Validate();
        var services = builder.Services;
        services.RemoveAll<DatacakeXmlRepository>();
        services.AddSingleton(provider => new DatacakeXmlRepository(
            () => RegisteredNode.Of(provider, options.FindNode, "Data protection"),
            options,
            // The key ring asks for the keys, so it can be found only when it exists.
            () => provider.GetRequiredService<IKeyRingProvider>().GetCurrentKeyRing(),
            provider.GetService<ILoggerFactory>()));
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(static provider =>
            new ConfigureOptions<KeyManagementOptions>(management => management.XmlRepository = provider.GetRequiredService<DatacakeXmlRepository>()));
        if (services.LastOrDefault(static service => service.ServiceType == typeof(IKeyManager)) is { ImplementationType: { } type } && type == typeof(XmlKeyManager))
        {
            services.Replace(ServiceDescriptor.Singleton<IKeyManager>(static provider => new RefreshedKeyManager(
                ActivatorUtilities.CreateInstance<XmlKeyManager>(provider), provider.GetRequiredService<DatacakeXmlRepository>())));
        }
        return builder;
    }
}
