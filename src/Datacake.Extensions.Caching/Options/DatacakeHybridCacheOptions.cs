using System.Text.Json;
using Datacake.EventualConsistency;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching;

/// <summary>The settings of a <see cref="DatacakeHybridCache"/>.</summary>
public sealed class DatacakeHybridCacheOptions : DatacakeCacheOptions
{
    /// <summary>Creates the default settings.</summary>
    public DatacakeHybridCacheOptions()
        : base("hybrid-cache")
    {
    }

    /// <summary>
    /// Gets or sets the options of entries whose call gives none, or leaves some of them null. Without an <see cref="HybridCacheEntryOptions.Expiration"/> here either, entries expire after
    /// 5 minutes; without a <see cref="HybridCacheEntryOptions.LocalCacheExpiration"/>, they stay in memory until they expire. Default: null.
    /// </summary>
    public HybridCacheEntryOptions? DefaultEntryOptions { get; set; }

    /// <summary>
    /// Gets or sets the longest time until an entry expires. Longer ones are shortened to it. The invalidation of a tag is remembered for a day longer. The same time on all nodes; the README says how
    /// to change it. Default: 30 days.
    /// </summary>
    public TimeSpan MaxExpiration { get; set; } = TimeSpan.FromDays(30);

    /// <summary>
    /// Gets or sets the limit of the memory for entries in this process, in bytes. If it is exceeded, entries that were not read lately are dropped. They stay in the keyspace. 0: no entry is
    /// kept in memory. Default: 64 MiB.
    /// </summary>
    public long LocalSizeLimit { get; set; } = 64 << 20;

    /// <summary>
    /// Gets or sets whether one factory in the cluster runs for a key at a time, and not one on each node. A miss then acquires a lease before the factory runs, which costs some
    /// round trips, stores the value at <see cref="Consistency.Quorum"/> or above, and needs a majority of the voters; without one, each node runs its factory. Worth it for factories
    /// that take much longer. Default: false.
    /// </summary>
    public bool OneFactoryInCluster { get; set; }

    /// <summary>
    /// Gets or sets the duration of the lease with which one factory in the cluster runs. It is renewed while the factory runs, and is the time for which the other nodes wait for a node
    /// that has failed. From 100 ms to one day. Default: 10 s.
    /// </summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets or sets the options of the JSON of values that have no serializer of their own. If they are set, they go before the <see cref="IHybridCacheSerializerFactory"/> of the application's
    /// services. With native AOT, set a <see cref="JsonSerializerOptions.TypeInfoResolver"/> that knows the
    /// types. Default: null, which stands for <see cref="JsonSerializerOptions.Default"/>.
    /// </summary>
    public JsonSerializerOptions? JsonSerializerOptions { get; set; }

    /// <summary>
    /// Gets the factories of serializers that are asked first, before the <see cref="IHybridCacheSerializer{T}"/> and <see cref="IHybridCacheSerializerFactory"/> of the application's
    /// services. Without any, strings are stored as UTF-8, byte arrays as they are, and all other types as JSON.
    /// </summary>
    public IList<IHybridCacheSerializerFactory> SerializerFactories { get; } = [];

    internal override void Validate()
    {
        base.Validate();
        CheckPositive(MaxExpiration, nameof(MaxExpiration));
        CheckPositive(DefaultEntryOptions?.Expiration, nameof(DefaultEntryOptions));
        CheckPositive(DefaultEntryOptions?.LocalCacheExpiration, nameof(DefaultEntryOptions));
        if (LocalSizeLimit < 0)
            throw new ArgumentException($"The {nameof(LocalSizeLimit)} of a cache is {LocalSizeLimit} bytes. Use a positive number, or 0 to keep nothing in memory.", nameof(LocalSizeLimit));
        if (LeaseDuration < NodeLeases.MinDuration || LeaseDuration > NodeLeases.MaxDuration)
        {
            throw new ArgumentException(
                $"The {nameof(LeaseDuration)} of a cache is {LeaseDuration}. Use a time from {NodeLeases.MinDuration.TotalMilliseconds} ms to {NodeLeases.MaxDuration.TotalHours} hours.",
                nameof(LeaseDuration));
        }
        if (MaxExpiration > TimeSpan.FromDays(3650))
            throw new ArgumentException($"The {nameof(MaxExpiration)} of a cache is {MaxExpiration}. Use at most 3,650 days.", nameof(MaxExpiration));
    }
}
