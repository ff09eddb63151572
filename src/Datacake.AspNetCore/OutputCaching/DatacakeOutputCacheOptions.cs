using Datacake.Extensions.Caching;

namespace Datacake.AspNetCore;

/// <summary>The settings of an output cache in a cluster.</summary>
public sealed class DatacakeOutputCacheOptions : DatacakeCacheOptions
{
    /// <summary>Creates the default settings, with the keyspace <c>output-cache</c>.</summary>
    public DatacakeOutputCacheOptions()
        : base("output-cache")
    {
    }

    /// <summary>
    /// Gets or sets the maximum time for which a response is valid; longer times are shortened to it. The evictions of tags are remembered for a day longer. Default: 30 days.
    /// </summary>
    public TimeSpan MaxExpiration { get; set; } = TimeSpan.FromDays(30);

    internal override void Validate()
    {
        base.Validate();
        if (MaxExpiration <= TimeSpan.Zero || MaxExpiration > TimeSpan.FromDays(3650))
            throw new ArgumentException($"The {nameof(MaxExpiration)} of an output cache is {MaxExpiration}. Use a positive time of at most ten years.", nameof(MaxExpiration));
    }
}
