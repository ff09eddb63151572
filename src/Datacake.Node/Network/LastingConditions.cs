namespace Datacake.Node.Network;

/// <summary>
/// Lasting conditions, each of which is logged when it begins, once an hour with a count while it lasts, and when it ends. Not thread-safe.
/// </summary>
sealed class LastingConditions(TimeProvider time)
{
    /// <summary>The maximum number of distinct conditions. Strangers can cause any number, so further ones are counted as one.</summary>
    const int Capacity = 1_000;

    /// <summary>The time after which a condition that other nodes cause has ended, if it was not noted again.</summary>
    public static readonly TimeSpan Quiet = TimeSpan.FromMinutes(2);

    static readonly TimeSpan RepeatInterval = TimeSpan.FromHours(1);

    readonly Dictionary<string, Condition> _conditions = [];

    sealed class Condition
    {
        public long LastSeen { get; set; }

        public long LastLogged { get; set; }

        public long Count { get; set; }

        public required Action<long> Ended { get; init; }
    }

    /// <summary>Notes that a condition holds. Returns true if it is time to log the condition.</summary>
    /// <param name="key">The key that identifies the condition.</param>
    /// <param name="count">The number of times that the condition was noted since it began.</param>
    /// <param name="ended">An action that logs the end of the condition and receives the final count; null for none.</param>
    public bool Note(string key, out long count, Action<long>? ended = null)
    {
        var now = time.GetTimestamp();
        if (!_conditions.ContainsKey(key) && _conditions.Count >= Capacity)
            (key, ended) = ("", null);
        var isNew = !_conditions.TryGetValue(key, out var condition);
        if (condition is null)
            _conditions[key] = condition = new Condition { Ended = ended ?? (static _ => { }) };
        condition.LastSeen = now;
        count = ++condition.Count;
        if (!isNew && time.GetElapsedTime(condition.LastLogged, now) < RepeatInterval)
            return false;
        condition.LastLogged = now;
        return true;
    }

    /// <summary>Ends a condition. Does nothing if the condition does not hold.</summary>
    public void End(string key)
    {
        if (_conditions.Remove(key, out var condition))
            condition.Ended(condition.Count);
    }

    /// <summary>Ends the conditions that were not noted for a given time.</summary>
    public void EndQuiet(TimeSpan quiet)
    {
        foreach (var (key, condition) in _conditions)
            if (time.GetElapsedTime(condition.LastSeen) >= quiet)
                End(key);
    }
}
