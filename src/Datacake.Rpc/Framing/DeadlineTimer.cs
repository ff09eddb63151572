namespace Datacake.Rpc.Framing;

/// <summary>
/// A single timer for all deadlines of a connection, set to the earliest one. Most calls end before their deadline, so a later deadline
/// costs only a comparison. When the timer fires, the owner looks for expired calls and arms the timer again. All members are called under
/// the owner's lock, but the callback is not.
/// </summary>
sealed class DeadlineTimer : IDisposable
{
    /// <summary>The value that stands for no deadline.</summary>
    public const long Never = long.MaxValue;

    /// <summary>The limit beyond which a deadline counts as none. Timestamps in nanoseconds overflow after 292 years.</summary>
    static readonly TimeSpan Farthest = TimeSpan.FromDays(36_500);

    readonly TimeProvider _timeProvider;
    readonly ITimer _timer;
    long _due = Never;

    public DeadlineTimer(TimeProvider timeProvider, Action expire)
    {
        _timeProvider = timeProvider;
        _timer = timeProvider.CreateTimer(static state => ((Action)state!)(), expire, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public long Now => _timeProvider.GetTimestamp();

    /// <summary>Returns the timestamp of a deadline that is this long from now.</summary>
    public long After(TimeSpan time) => time == Timeout.InfiniteTimeSpan || time > Farthest
        ? Never
        : Now + (long)(time.TotalSeconds * _timeProvider.TimestampFrequency);

    public void Arm(long due)
    {
        if (due >= _due)
            return;
        _due = due;
        // Timers count whole milliseconds. Rounding up prevents the timer from firing just before the deadline.
        var wait = Math.Max(0, Math.Ceiling((due - Now) * 1000.0 / _timeProvider.TimestampFrequency));
        _timer.Change(TimeSpan.FromMilliseconds(Math.Min(wait, int.MaxValue)), Timeout.InfiniteTimeSpan);
    }

    /// <summary>Forgets the deadline for which the timer was armed. Called when the timer has fired.</summary>
    public void Disarm() => _due = Never;

    public void Dispose() => _timer.Dispose();
}
