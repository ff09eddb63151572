using Datacake.Node;
using Medallion.Threading;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.DistributedLock;

/// <summary>Extension methods that register the locks of a cluster with an application's services.</summary>
public static class DatacakeDistributedLockServiceCollectionExtensions
{
    /// <summary>
    /// Registers the locks of the cluster as <see cref="IDistributedLockProvider"/> and <see cref="DatacakeDistributedLockProvider"/>. The node, which <c>AddDatacake</c>
    /// registers, is resolved when the first lock is acquired, so that services can ask for the provider in their constructors.
    /// </summary>
    public static IServiceCollection AddDatacakeDistributedLocks(this IServiceCollection services) => services.AddDatacakeDistributedLocks(static _ => { });

    /// <summary>Registers the locks of the cluster, like <see cref="AddDatacakeDistributedLocks(IServiceCollection)"/>, with other settings than the defaults.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static IServiceCollection AddDatacakeDistributedLocks(this IServiceCollection services, Action<DatacakeDistributedLockOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = DatacakeDistributedLockOptions.Create(configure);
        return services.AddSingleton(provider => new DatacakeDistributedLockProvider(() => NodeOf(provider), options))
            .AddSingleton<IDistributedLockProvider>(static provider => provider.GetRequiredService<DatacakeDistributedLockProvider>());
    }

    static DatacakeNode NodeOf(IServiceProvider services) => services.GetService<DatacakeNode>() ?? throw new InvalidOperationException(
        "Distributed locks need a node, but none is registered. Call services.AddDatacake(options => …), too.");
}
