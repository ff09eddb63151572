namespace Datacake.Administration.Backups;

/// <summary>The times of scheduled backups. Pure: it knows no clock.</summary>
sealed class BackupSchedule(BackupOptions options)
{
    readonly TimeOnly[] _times = [.. options.TimesOfDay.Order()];

    /// <summary>
    /// Returns the time at which the next backup is due, after the last one. The result is in the past if a time was missed, and the start of all time if
    /// there is no backup yet: that one is due at once.
    /// </summary>
    public DateTimeOffset Next(DateTimeOffset? last)
    {
        if (last is not { } previous)
            return DateTimeOffset.MinValue;
        if (options.Interval is { } interval)
            return previous + interval;
        var day = DateOnly.FromDateTime(previous.UtcDateTime);
        var time = TimeOnly.FromDateTime(previous.UtcDateTime);
        foreach (var next in _times)
        {
            if (next > time)
                return At(day, next);
        }
        return At(day.AddDays(1), _times[0]);
    }

    static DateTimeOffset At(DateOnly day, TimeOnly time) => new(day.ToDateTime(time), TimeSpan.Zero);
}
