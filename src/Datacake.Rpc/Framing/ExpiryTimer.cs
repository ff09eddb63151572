namespace Datacake.Rpc.Framing;

/// <summary>
/// A timer that ends a connection before any of its certificates expires. It first closes the connection gracefully, so that calls in
/// flight can finish, and cuts it at the expiry. A connection that is opened shortly before the expiry is only cut.
/// </summary>
sealed class ExpiryTimer : IDisposable
{
    /// <summary>The time before the expiry at which the graceful close begins.</summary>
    static readonly TimeSpan GraceTime = TimeSpan.FromMinutes(5);

    /// <summary>The maximum time between two checks. Certificates follow the wall clock, which may be adjusted.</summary>
    static readonly TimeSpan MaxWait = TimeSpan.FromHours(1);

    readonly TimeProvider _timeProvider;
    readonly DateTimeOffset _end;
    readonly DateTimeOffset _closing;
    readonly Action _close;
    readonly Action<DateTimeOffset> _cut;
    readonly ITimer? _timer;
    bool _isClosing;

    /// <param name="timeProvider">The clock.</param>
    /// <param name="end">The time at which the first certificate expires; null for never.</param>
    /// <param name="close">Closes the connection gracefully: it ends when nothing is in flight.</param>
    /// <param name="cut">Ends the connection immediately.</param>
    public ExpiryTimer(TimeProvider timeProvider, DateTimeOffset? end, Action close, Action<DateTimeOffset> cut)
    {
        (_timeProvider, _close, _cut) = (timeProvider, close, cut);
        if (end is null)
            return;
        var now = timeProvider.GetUtcNow();
        _end = end.Value;
        _closing = _end - now > 2 * GraceTime ? _end - GraceTime : _end;
        _timer = timeProvider.CreateTimer(_ => Check(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Wait(_closing - now);
    }

    public void Dispose() => _timer?.Dispose();

    void Check()
    {
        var now = _timeProvider.GetUtcNow();
        if (now >= _end)
        {
            _cut(_end);
            return;
        }

        if (now >= _closing && !_isClosing)
        {
            _isClosing = true;
            _close();
        }

        Wait((_isClosing ? _end : _closing) - now);
    }

    // Timers count whole milliseconds. Rounding up prevents the timer from firing too early.
    void Wait(TimeSpan time)
    {
        var milliseconds = Math.Max(1, Math.Ceiling((time < MaxWait ? time : MaxWait).TotalMilliseconds));
        _timer!.Change(TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
    }
}
