namespace Datacake.Rpc.Framing;

/// <summary>
/// Notices that a connection has carried nothing for a while. It looks twice in that time, so that a call costs no more than a flag; a
/// connection is found idle after one to one and a half times the limit, and again at every look after that.
/// </summary>
sealed class IdleTimer : IDisposable
{
    readonly Func<bool> _takeUse;
    readonly Action _onIdle;
    readonly ITimer? _timer;
    int _looks;         // in a row that found no use

    /// <param name="timeProvider">The clock.</param>
    /// <param name="limit">How long; infinite for never.</param>
    /// <param name="takeUse">Whether it is in use, or was since the last time it was asked.</param>
    /// <param name="onIdle">What to do then.</param>
    public IdleTimer(TimeProvider timeProvider, TimeSpan limit, Func<bool> takeUse, Action onIdle)
    {
        _takeUse = takeUse;
        _onIdle = onIdle;
        if (limit != Timeout.InfiniteTimeSpan)
        {
            var period = limit / 2 > TimeRange.Shortest ? limit / 2 : TimeRange.Shortest;
            _timer = timeProvider.CreateTimer(_ => Look(), null, period, period);
        }

    }

    public void Dispose() => _timer?.Dispose();

    void Look()
    {
        _looks = _takeUse() ? 0 : _looks + 1;
        if (_looks >= 2)
            _onIdle();
    }
}
