namespace Datacake.Extensions.Caching;

/// <summary>The settings of a <see cref="DatacakeDistributedCache"/>.</summary>
public sealed class DatacakeDistributedCacheOptions : DatacakeCacheOptions
{
    /// <summary>Creates the default settings.</summary>
    public DatacakeDistributedCacheOptions()
        : base("cache")
    {
    }

    /// <summary>
    /// Gets or sets the time after which an entry expires if its options have neither an absolute nor a sliding expiry; null if it then does not expire. Default: null.
    /// </summary>
    public TimeSpan? DefaultExpiration { get; set; }

    /// <summary>
    /// Gets or sets the time without a read after which an entry expires if its options have neither an absolute nor a sliding expiry; null for none. Together with
    /// <see cref="DefaultExpiration"/>, the earlier one counts. Default: null.
    /// </summary>
    public TimeSpan? DefaultSlidingExpiration { get; set; }

    internal override void Validate()
    {
        base.Validate();
        CheckPositive(DefaultExpiration, nameof(DefaultExpiration));
        CheckPositive(DefaultSlidingExpiration, nameof(DefaultSlidingExpiration));
    }
}
