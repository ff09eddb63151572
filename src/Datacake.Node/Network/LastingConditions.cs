namespace Datacake.Node;

/// <summary>
/// Conditions that last, so that each is logged when it begins, once an hour with a count while it lasts, and when it has ended. Not
/// thread-safe.
/// </summary>
sealed class LastingConditions(TimeProvider time)
{
    /// <summary>Conditions beyond this number are not told apart: strangers can make up any number.</summary>
    const int Capacity = 1_000;

    /// <summary>Something that comes from others and was not seen for so long has ended.</summary>
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

    /// <summary>Notes that a condition holds. True if it is time to log it.</summary>
    /// <param name="key">Identifies the condition.</param>
    /// <param name="count">How often it was noted since it began.</param>
    /// <param name="ended">Logs that it has ended, given how often it was noted; nothing if left out.</param>
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

    /// <summary>Ends a condition, if it holds.</summary>
    public void End(string key)
    {
        if (_conditions.Remove(key, out var condition))
            condition.Ended(condition.Count);
    }

    /// <summary>Ends those that were not noted for so long.</summary>
    public void EndQuiet(TimeSpan quiet)
    {
        foreach (var (key, condition) in _conditions)
            if (time.GetElapsedTime(condition.LastSeen) >= quiet)
                End(key);
    }
}
