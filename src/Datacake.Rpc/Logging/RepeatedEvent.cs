namespace Datacake.Rpc.Logging;

/// <summary>
/// Keeps an event that repeats from flooding a log. The first one of each kind is logged at once, up to a number of kinds. The others
/// are counted, and summed up after a minute, then after two more, and so on up to every hour. The event is over when the owner says
/// so, or when nothing has happened between two sums. Safe to use from several threads.
/// </summary>
sealed class RepeatedEvent : IDisposable
{
    /// <summary>Kinds of which the first one is logged. More of them are only counted until the next sum, which starts anew.</summary>
    const int MaxKinds = 8;

    static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    readonly TimeProvider _timeProvider;
    readonly Action<Repetition> _sumUp;
    readonly Action<Repetition>? _over;
    readonly Lock _gate = new();

    // All below is under the lock.
    readonly HashSet<string> _kinds = [];
    ITimer? _timer;             // made with the first event
    TimeSpan _pause;            // zero while nothing happens
    long _begin;
    long _lastSum;
    int _total;
    int _recent;                // since the last sum
    int _uncounted;             // those of them that were not logged by themselves
    string _last = "";
    bool _isDisposed;

    /// <param name="timeProvider">The clock.</param>
    /// <param name="sumUp">Logs a sum: the events since the last one, the time that they took, and the last one's text.</param>
    /// <param name="over">Logs that nothing has happened for a while: all events, from the first to the last sum.</param>
    public RepeatedEvent(TimeProvider timeProvider, Action<Repetition> sumUp, Action<Repetition>? over = null) =>
        (_timeProvider, _sumUp, _over) = (timeProvider, sumUp, over);

    /// <summary>Counts an event. True: the caller logs it.</summary>
    /// <param name="kind">What events have in common that need no line each.</param>
    /// <param name="text">What a sum says of its last event.</param>
    public bool Occurs(string kind, string text)
    {
        lock (_gate)
        {
            if (_isDisposed)
                return false;
            if (_pause == TimeSpan.Zero)
            {
                _begin = _lastSum = _timeProvider.GetTimestamp();
                Wait(FirstPause);
            }

            _total++;
            _recent++;
            _last = Log.Clause(text);
            if (_kinds.Count < MaxKinds && _kinds.Add(kind))
                return true;
            _uncounted++;
            return false;
        }
    }

    /// <summary>Says that it is over. Returns what there was, or null if nothing was.</summary>
    public Repetition? End()
    {
        lock (_gate)
        {
            if (_pause == TimeSpan.Zero)
                return null;
            return Reset();
        }
    }

    /// <summary>Sums up what is left.</summary>
    public void Dispose()
    {
        Repetition left;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            _timer?.Dispose();
            left = new Repetition(_uncounted, _timeProvider.GetElapsedTime(_lastSum), _last);
        }

        if (left.Count > 0)
            _sumUp(left);
    }

    void OnTimer()
    {
        Repetition repetition;
        Action<Repetition>? log;
        lock (_gate)
        {
            if (_isDisposed || _pause == TimeSpan.Zero)
                return;
            if (_recent == 0)
            {
                (log, repetition) = (_over, Reset());
            }
            else
            {
                (log, repetition) = (_sumUp, new Repetition(_uncounted, _timeProvider.GetElapsedTime(_lastSum), _last));
                if (_uncounted == 0)
                    log = null;
                (_recent, _uncounted) = (0, 0);
                if (_kinds.Count == MaxKinds)
                    _kinds.Clear();
                _lastSum = _timeProvider.GetTimestamp();
                Wait(_pause < LongestPause / 2 ? 2 * _pause : LongestPause);
            }
        }

        log?.Invoke(repetition);
    }

    // Under the lock.
    void Wait(TimeSpan pause)
    {
        _pause = pause;
        _timer ??= _timeProvider.CreateTimer(_ => OnTimer(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(pause, Timeout.InfiniteTimeSpan);
    }

    // Under the lock.
    Repetition Reset()
    {
        var all = new Repetition(_total, _timeProvider.GetElapsedTime(_begin), _last);
        (_pause, _total, _recent, _uncounted) = (TimeSpan.Zero, 0, 0, 0);
        _kinds.Clear();
        _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        return all;
    }
}
