using Datacake.AspNetCore.Nodes;
using Datacake.AspNetCore.OutputCaching;
using Datacake.Extensions.Caching;
using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Datacake.AspNetCore;

/// <summary>Extension methods that keep the output cache in a cluster.</summary>
public static class DatacakeOutputCacheServiceCollectionExtensions
{
    /// <summary>
    /// Registers output caching, as <c>AddOutputCache</c> does, with the responses in a keyspace of the cluster: what one node has rendered is served by all, and
    /// <see cref="IOutputCacheStore.EvictByTagAsync"/> on one node evicts on all. The node, which <c>AddDatacake</c> registers, is resolved when the cache is first used.
    /// </summary>
    public static IServiceCollection AddDatacakeOutputCache(this IServiceCollection services) => services.AddDatacakeOutputCache(static _ => { });

    /// <summary>Registers output caching, like <see cref="AddDatacakeOutputCache(IServiceCollection)"/>, with other settings than the defaults.</summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static IServiceCollection AddDatacakeOutputCache(this IServiceCollection services, Action<DatacakeOutputCacheOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        var options = DatacakeCacheOptions.Create(configure);
        services.AddOutputCache();
        services.RemoveAll<DatacakeOutputCacheStore>();
        services.AddSingleton(provider => new DatacakeOutputCacheStore(() => RegisteredNode.Of(provider, options.FindNode, "The output cache"), options));
        services.Replace(ServiceDescriptor.Singleton<IOutputCacheStore>(static provider => provider.GetRequiredService<DatacakeOutputCacheStore>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IConfigureOptions<OutputCacheOptions>, OriginPolicySetup>());
        return services;
    }
}
