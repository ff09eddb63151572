namespace Datacake.EventualConsistency.Joining;

/// <summary>
/// Decides when the log says why a store has not joined: at once for a new reason, and then after pauses that grow from a minute to an hour. Called
/// by one thread at a time.
/// </summary>
sealed class JoinReminder(TimeProvider time)
{
    /// <summary>Reasons that change back and forth are not new.</summary>
    const int MaxReasons = 8;

    static readonly TimeSpan FirstPause = TimeSpan.FromMinutes(1);
    static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    readonly long _start = time.GetTimestamp();
    readonly HashSet<string> _reasons = [];
    TimeSpan _pause = FirstPause;
    long _last;

    /// <summary>Returns whether it is time to log.</summary>
    /// <param name="reason">Why the store has not joined.</param>
    /// <param name="waited">The time that it has waited.</param>
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
