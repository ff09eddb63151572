namespace Datacake.EventualConsistency.Joining;

/// <summary>
/// The schedule by which the log says why a store has not joined: at once for a new reason, and then at intervals that grow from one minute
/// to one hour. Called by one thread at a time.
/// </summary>
sealed class JoinReminder(TimeProvider time)
{
    /// <summary>
    /// The maximum number of reasons that count as new. A reason that was logged before is not new again, so alternating reasons do not
    /// flood the log.
    /// </summary>
    const int MaxReasons = 8;

    static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    readonly long _start = time.GetTimestamp();
    readonly HashSet<string> _reasons = [];
    TimeSpan _pause = FirstPause;
    long _last;

    /// <summary>Returns true if it is time to log.</summary>
    /// <param name="reason">The reason why the store has not joined.</param>
    /// <param name="waited">The time for which the store has waited.</param>
    public bool IsDue(string reason, out TimeSpan waited)
    {
        long now = time.GetTimestamp();
        waited = time.GetElapsedTime(_start, now);
        bool isNew = _reasons.Count < MaxReasons && _reasons.Add(reason);
        if (!isNew && time.GetElapsedTime(_last, now) < _pause)
            return false;
        _pause = isNew ? FirstPause : _pause < LongestPause / 2 ? 2 * _pause : LongestPause;
        _last = now;
        return true;
    }
}
