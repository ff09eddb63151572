namespace Datacake.Rpc.Logging;

/// <summary>
/// A repeated event that must not flood the log. The first event of each kind is logged at once, up to a maximum number of kinds. The
/// others are counted and logged in a summary after one minute, then after two more minutes, and so on, up to once per hour. The repetition
/// ends when the owner calls <see cref="End"/>, or when nothing happens between two summaries. Thread-safe.
/// </summary>
sealed class RepeatedEvent : IDisposable
{
    /// <summary>
    /// The maximum number of kinds whose first event is logged. Events of further kinds are only counted until the next summary, which
    /// resets the kinds.
    /// </summary>
    const int MaxKinds = 8;

    static readonly TimeSpan MinPause = TimeSpan.FromMinutes(1);
    static readonly TimeSpan MaxPause = TimeSpan.FromHours(1);

    readonly TimeProvider _timeProvider;
    readonly Action<Repetition> _logSummary;
    readonly Action<Repetition>? _logEnd;
    readonly Lock _gate = new();

    // All fields below are under the lock.
    readonly HashSet<string> _kinds = [];
    ITimer? _timer;             // Created with the first event.
    TimeSpan _pause;            // Zero while nothing happens.
    long _begin;
    long _lastSummary;
    int _total;
    int _recent;                // Since the last summary.
    int _unlogged;              // Those of the recent events that were not logged individually.
    string _last = "";
    bool _isDisposed;

    /// <param name="timeProvider">The clock.</param>
    /// <param name="logSummary">
    /// Logs the events since the last summary that were not logged individually, with the text of the last one.
    /// </param>
    /// <param name="logEnd">Logs the end of the repetition, when nothing has happened for a while. Receives all events.</param>
    public RepeatedEvent(TimeProvider timeProvider, Action<Repetition> logSummary, Action<Repetition>? logEnd = null) =>
        (_timeProvider, _logSummary, _logEnd) = (timeProvider, logSummary, logEnd);

    /// <summary>Counts an event. Returns true if the caller must log the event individually.</summary>
    /// <param name="kind">The kind of the event. Only the first event of a kind is logged individually.</param>
    /// <param name="text">The description of the event in a summary, if it is the last one.</param>
    public bool Occurs(string kind, string text)
    {
        lock (_gate)
        {
            if (_isDisposed)
                return false;
            if (_pause == TimeSpan.Zero)
            {
                _begin = _lastSummary = _timeProvider.GetTimestamp();
                Wait(MinPause);
            }

            _total++;
            _recent++;
            _last = Log.Clause(text);
            if (_kinds.Count < MaxKinds && _kinds.Add(kind))
                return true;
            _unlogged++;
            return false;
        }
    }

    /// <summary>Ends the repetition. Returns all of its events, or null if there were none.</summary>
    public Repetition? End()
    {
        lock (_gate)
        {
            if (_pause == TimeSpan.Zero)
                return null;
            return Reset();
        }
    }

    /// <summary>Logs a last summary if there are events left.</summary>
    public void Dispose()
    {
        Repetition left;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            _timer?.Dispose();
            left = new Repetition(_unlogged, _timeProvider.GetElapsedTime(_lastSummary), _last);
        }

        if (left.Count > 0)
            _logSummary(left);
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
                (log, repetition) = (_logEnd, Reset());
            }
            else
            {
                (log, repetition) = (_logSummary, new Repetition(_unlogged, _timeProvider.GetElapsedTime(_lastSummary), _last));
                if (_unlogged == 0)
                    log = null;
                (_recent, _unlogged) = (0, 0);
                if (_kinds.Count == MaxKinds)
                    _kinds.Clear();
                _lastSummary = _timeProvider.GetTimestamp();
                Wait(_pause < MaxPause / 2 ? 2 * _pause : MaxPause);
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
        (_pause, _total, _recent, _unlogged) = (TimeSpan.Zero, 0, 0, 0);
        _kinds.Clear();
        _timer!.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        return all;
    }
}
