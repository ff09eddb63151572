namespace Datacake.Rpc.Framing;

/// <summary>
/// Ends a connection before a certificate expires that it was opened with: first in order, so that what is in flight can finish, and at
/// the end whatever is in flight. A connection that is opened when there is little time left gets only the end.
/// </summary>
sealed class ExpiryTimer : IDisposable
{
    /// <summary>The time before the end at which the connection is asked to close.</summary>
    static readonly TimeSpan GraceTime = TimeSpan.FromMinutes(5);

    /// <summary>Certificates go by the wall clock, which may be set.</summary>
    static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    readonly TimeProvider _timeProvider;
    readonly DateTimeOffset _end;
    readonly DateTimeOffset _closing;
    readonly Action _close;
    readonly Action<DateTimeOffset> _cut;
    readonly ITimer? _timer;
    bool _isClosing;

    /// <param name="timeProvider">The clock.</param>
    /// <param name="end">When the first of the certificates expires; null for never.</param>
    /// <param name="close">Lets the connection end with what is in flight.</param>
    /// <param name="cut">Ends it now.</param>
    public ExpiryTimer(TimeProvider timeProvider, DateTimeOffset? end, Action close, Action<DateTimeOffset> cut)
    {
        (_timeProvider, _close, _cut) = (timeProvider, close, cut);
        if (end is null)
            return;
        var now = timeProvider.GetUtcNow();
        _end = end.Value;
        _closing = _end - now > 2 * GraceTime ? _end - GraceTime : _end;
        _timer = timeProvider.CreateTimer(_ => Look(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Wait(_closing - now);
    }

    public void Dispose() => _timer?.Dispose();

    void Look()
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

    // Timers count whole milliseconds: rounded up, so that it does not fire just before its time.
    void Wait(TimeSpan time)
    {
        var milliseconds = Math.Max(1, Math.Ceiling((time < LongestWait ? time : LongestWait).TotalMilliseconds));
        _timer!.Change(TimeSpan.FromMilliseconds(milliseconds), Timeout.InfiniteTimeSpan);
    }
}
