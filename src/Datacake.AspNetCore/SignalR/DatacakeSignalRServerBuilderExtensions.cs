using Datacake.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Datacake.AspNetCore;

/// <summary>Extension methods that connect the SignalR hubs of all nodes of a cluster.</summary>
public static class DatacakeSignalRServerBuilderExtensions
{
    /// <summary>
    /// Connects the hubs of all nodes, so that messages reach the connections, groups and users on any of them. The nodes send the messages to each other over their connections in the cluster. The
    /// node, which <c>AddDatacake</c> registers, is resolved when a hub is first used.
    /// </summary>
    public static ISignalRServerBuilder AddDatacakeBackplane(this ISignalRServerBuilder builder) => builder.AddDatacakeBackplane(static _ => { });

    /// <summary>Connects the hubs of all nodes, like <see cref="AddDatacakeBackplane(ISignalRServerBuilder)"/>, with other settings than the defaults.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static ISignalRServerBuilder AddDatacakeBackplane(this ISignalRServerBuilder builder, Action<DatacakeBackplaneOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        var options = new DatacakeBackplaneOptions();
        configure(options);
        options.Validate();
        builder.Services.RemoveAll<DatacakeBackplaneOptions>();
        builder.Services.AddSingleton(options);
        builder.Services.Replace(ServiceDescriptor.Singleton(typeof(HubLifetimeManager<>), typeof(DatacakeHubLifetimeManager<>)));
        return builder;
    }
}
