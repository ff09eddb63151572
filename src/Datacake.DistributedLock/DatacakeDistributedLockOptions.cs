using Datacake.EventualConsistency;

namespace Datacake.DistributedLock;

/// <summary>The settings of locks.</summary>
public sealed class DatacakeDistributedLockOptions
{
    internal DatacakeDistributedLockOptions()
    {
    }

    /// <summary>
    /// Gets or sets the duration of the leases behind the locks, from 100 ms to one day. It is the time after which the lock of a holder that has failed is free. Too short a
    /// time loses locks at each hiccup of the network. A lock is renewed three times in it, so it can be held for longer. Default: 10 s.
    /// </summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(10);

    internal static DatacakeDistributedLockOptions Create(Action<DatacakeDistributedLockOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new DatacakeDistributedLockOptions();
        configure(options);
        if (options.LeaseDuration < NodeLeases.MinDuration || options.LeaseDuration > NodeLeases.MaxDuration)
        {
            throw new ArgumentException(
                $"The {nameof(LeaseDuration)} of distributed locks is {options.LeaseDuration}. Use a time from {NodeLeases.MinDuration.TotalMilliseconds} ms to "
                    + $"{NodeLeases.MaxDuration.TotalHours} hours.", nameof(configure));
        }
        return options;
    }
}
