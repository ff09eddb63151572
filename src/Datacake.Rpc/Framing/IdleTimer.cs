using Datacake.Rpc.Contracts;

namespace Datacake.Rpc.Framing;

/// <summary>
/// A timer that detects idle connections. It checks twice per time limit whether the connection was used, so that a call only has to set a
/// flag. A connection is reported as idle after 1 to 1.5 times the limit, and again at every later check.
/// </summary>
sealed class IdleTimer : IDisposable
{
    readonly Func<bool> _checkUse;
    readonly Action _onIdle;
    readonly ITimer? _timer;
    int _idleChecks;    // The number of consecutive checks that found no use.

    /// <param name="timeProvider">The clock.</param>
    /// <param name="limit">The time after which a connection is idle, or infinite for never.</param>
    /// <param name="checkUse">Returns whether the connection is in use, or was used since the last call of this function.</param>
    /// <param name="onIdle">Called when the connection is idle.</param>
    public IdleTimer(TimeProvider timeProvider, TimeSpan limit, Func<bool> checkUse, Action onIdle)
    {
        _checkUse = checkUse;
        _onIdle = onIdle;
        if (limit != Timeout.InfiniteTimeSpan)
        {
            var period = limit / 2 > TimeRange.Shortest ? limit / 2 : TimeRange.Shortest;
            _timer = timeProvider.CreateTimer(_ => Check(), null, period, period);
        }

    }

    public void Dispose() => _timer?.Dispose();

    void Check()
    {
        _idleChecks = _checkUse() ? 0 : _idleChecks + 1;
        if (_idleChecks >= 2)
            _onIdle();
    }
}
