namespace Datacake.Data;

/// <summary>The settings of a durable consumer; see <see cref="Keyspace{T}.ConsumeAsync"/>.</summary>
public sealed class ConsumerOptions
{
    static readonly TimeSpan LongestDelay = TimeSpan.FromDays(1);

    /// <summary>
    /// Gets or sets the maximum number of changes in a batch, from 1 to 10,000. The position is saved after each batch, so that larger batches cost fewer writes, and a
    /// failure delivers more changes again. Default: 200.
    /// </summary>
    public int MaxBatchSize { get; set; } = 200;

    /// <summary>
    /// Gets or sets a value that makes a new consumer begin with the next change, without the entities that exist. It has no effect on a consumer that has a position. A
    /// consumer that was away for too long reads all entities in any case. Default: false.
    /// </summary>
    public bool SkipExisting { get; set; }

    /// <summary>
    /// Gets or sets the duration of the consumer's lease, from 100 ms to one day. It is the time after which another node takes over from one that has failed. Default: 5 s.
    /// </summary>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets or sets the delay before a failed batch is delivered again. It doubles with each further failure. Default: 1 s.</summary>
    public TimeSpan RetryDelay { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets or sets the maximum delay before a failed batch is delivered again, up to 1 day. Default: 1 min.</summary>
    public TimeSpan MaxRetryDelay { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Returns the delay after a number of failures in a row.</summary>
    internal TimeSpan DelayAfter(int failures) => TimeSpan.FromTicks((long)Math.Min(MaxRetryDelay.Ticks, RetryDelay.Ticks * Math.Pow(2, failures - 1)));

    internal ConsumerOptions Checked()
    {
        if (MaxBatchSize is < 1 or > 10_000)
            throw new ArgumentException($"{nameof(ConsumerOptions)}.{nameof(MaxBatchSize)} is {MaxBatchSize}. Use a number from 1 to 10,000.");
        if (RetryDelay <= TimeSpan.Zero || RetryDelay > MaxRetryDelay || MaxRetryDelay > LongestDelay)
        {
            throw new ArgumentException(
                $"{nameof(ConsumerOptions)}.{nameof(RetryDelay)} is {RetryDelay}, and {nameof(MaxRetryDelay)} is {MaxRetryDelay}. Use positive times, of which the first is not greater "
                    + "than the second, and the second is at most one day.");
        }
        return (ConsumerOptions)MemberwiseClone();
    }
}
