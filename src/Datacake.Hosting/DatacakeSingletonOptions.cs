using System.Text;
using Datacake.EventualConsistency;

namespace Datacake.Hosting;

/// <summary>The settings of a service that runs on one node of the cluster at a time.</summary>
public sealed class DatacakeSingletonOptions
{
    internal DatacakeSingletonOptions(string leaseName) => LeaseName = leaseName;

    /// <summary>
    /// Gets or sets the name of the lease that the service holds while it runs, 1 to 200 bytes in UTF-8. Services with the same name never run at the same time. Default: the
    /// full name of the class.
    /// </summary>
    public string LeaseName { get; set; }

    /// <summary>
    /// Gets or sets the duration of the lease, from 100 ms to one day. It is the time after which another node takes over from one that has failed. Too short a time moves
    /// the service at each hiccup of the network. Default: 5 s.
    /// </summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets the delay before the service is started again after its first failure. The delay doubles with each further failure. Default: 1 s.</summary>
    public TimeSpan RestartDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Gets or sets the maximum delay before the service is started again. A service that has run for this time before it fails is started after
    /// <see cref="RestartDelay"/> again. Default: 1 min.
    /// </summary>
    public TimeSpan MaxRestartDelay { get; set; } = TimeSpan.FromMinutes(1);

    internal void Validate(string service)
    {
        if (string.IsNullOrEmpty(LeaseName) || Encoding.UTF8.GetByteCount(LeaseName) > NodeLeases.MaxNameLength)
        {
            throw new ArgumentException(
                $"The {nameof(LeaseName)} of the singleton {service} is empty or too long. Use a name of 1 to {NodeLeases.MaxNameLength} bytes in UTF-8.");
        }
        try
        {
            // A zero takes two bytes in a key.
            _ = DocumentKey.Of(LeaseName);
        }
        catch (ArgumentException e)
        {
            throw new ArgumentException($"The {nameof(LeaseName)} of the singleton {service} cannot be the key of a lease. Use a name of valid characters, of which few are zero.", e);
        }
        if (LeaseDuration < NodeLeases.MinDuration || LeaseDuration > NodeLeases.MaxDuration)
        {
            throw new ArgumentException(
                $"The singleton {service} has a {nameof(LeaseDuration)} of {LeaseDuration}. Use a time from {NodeLeases.MinDuration.TotalMilliseconds} ms to {NodeLeases.MaxDuration.TotalHours} hours.");
        }
        if (RestartDelay <= TimeSpan.Zero || RestartDelay > MaxRestartDelay || MaxRestartDelay > TimeSpan.FromDays(1))
        {
            throw new ArgumentException(
                $"The singleton {service} has a {nameof(RestartDelay)} of {RestartDelay} and a {nameof(MaxRestartDelay)} of {MaxRestartDelay}. "
                    + "Use positive times, of which the first is not greater than the second, and the second is at most one day.");
        }
    }
}
