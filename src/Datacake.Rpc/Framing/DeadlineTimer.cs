namespace Datacake.Rpc.Framing;

/// <summary>
/// One timer for the deadlines of a whole connection, set to the earliest. A later deadline costs a comparison, since most calls are
/// over before theirs: when the timer fires, the owner looks for what has expired and arms it anew. All but the callback is called
/// under the owner's lock.
/// </summary>
sealed class DeadlineTimer : IDisposable
{
    /// <summary>The deadline of what has none.</summary>
    public const long Never = long.MaxValue;

    /// <summary>Beyond this, a deadline is never. Timestamps in nanoseconds end after 292 years.</summary>
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

    /// <summary>The timestamp this long from now.</summary>
    public long After(TimeSpan time) => time == Timeout.InfiniteTimeSpan || time > Farthest
        ? Never
        : Now + (long)(time.TotalSeconds * _timeProvider.TimestampFrequency);

    public void Arm(long due)
    {
        if (due >= _due)
            return;
        _due = due;
        // Timers count whole milliseconds: rounded up, so that it does not fire just before the deadline.
        var wait = Math.Max(0, Math.Ceiling((due - Now) * 1000.0 / _timeProvider.TimestampFrequency));
        _timer.Change(TimeSpan.FromMilliseconds(Math.Min(wait, int.MaxValue)), Timeout.InfiniteTimeSpan);
    }

    /// <summary>The timer has fired: forgets the deadline it was armed for.</summary>
    public void Disarm() => _due = Never;

    public void Dispose() => _timer.Dispose();
}
