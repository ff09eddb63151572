using Datacake.Node;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;

namespace Datacake.Extensions.Caching;

/// <summary>Extension methods that register the caches of a cluster with an application's services.</summary>
public static class DatacakeCachingServiceCollectionExtensions
{
    /// <summary>
    /// Registers a cache in a keyspace of the cluster as <see cref="IDistributedCache"/> and <see cref="DatacakeDistributedCache"/>. The node, which <c>AddDatacake</c> registers, is resolved when
    /// the cache is first used, so that services can ask for the cache in their constructors.
    /// </summary>
    public static IServiceCollection AddDistributedDatacakeCache(this IServiceCollection services) => services.AddDistributedDatacakeCache(static _ => { });

    /// <summary>Registers a cache, like <see cref="AddDistributedDatacakeCache(IServiceCollection)"/>, with other settings than the defaults.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static IServiceCollection AddDistributedDatacakeCache(this IServiceCollection services, Action<DatacakeDistributedCacheOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = DatacakeCacheOptions.Create(configure);
        return services.AddSingleton(provider => new DatacakeDistributedCache(() => NodeOf(provider, options), options))
            .AddSingleton<IDistributedCache>(static provider => provider.GetRequiredService<DatacakeDistributedCache>());
    }

    /// <summary>
    /// Registers a hybrid cache in the memory of the process and in a keyspace of the cluster as <see cref="HybridCache"/> and <see cref="DatacakeHybridCache"/>. It takes the place of the cache of
    /// <c>AddHybridCache</c>, whose memory other nodes cannot invalidate, and needs no <see cref="IDistributedCache"/>. The node, which <c>AddDatacake</c> registers, is resolved when the cache is
    /// first used.
    /// </summary>
    public static IServiceCollection AddDatacakeHybridCache(this IServiceCollection services) => services.AddDatacakeHybridCache(static _ => { });

    /// <summary>Registers a hybrid cache, like <see cref="AddDatacakeHybridCache(IServiceCollection)"/>, with other settings than the defaults.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static IServiceCollection AddDatacakeHybridCache(this IServiceCollection services, Action<DatacakeHybridCacheOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = DatacakeCacheOptions.Create(configure);
        return services.AddSingleton(provider => new DatacakeHybridCache(() => NodeOf(provider, options), options, provider))
            .AddSingleton<HybridCache>(static provider => provider.GetRequiredService<DatacakeHybridCache>());
    }

    static DatacakeNode NodeOf(IServiceProvider services, DatacakeCacheOptions options) => options.FindNode?.Invoke(services) ?? services.GetService<DatacakeNode>()
        ?? throw new InvalidOperationException("A Datacake cache needs a node, but none is registered. Call services.AddDatacake(options => …), too, or name the node with UseNode.");
}
