namespace Datacake.Hosting;

/// <summary>The settings of the start of a host.</summary>
sealed class HostStart
{
    /// <summary>Gets or sets how long the start waits for the store to join; null for no wait.</summary>
    public TimeSpan? JoinTimeout { get; set; }
}
