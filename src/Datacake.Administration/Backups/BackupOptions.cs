namespace Datacake.Administration;

/// <summary>The schedule of a node's backups. Without a folder, there are none.</summary>
public sealed class BackupOptions
{
    static readonly TimeSpan MinInterval = TimeSpan.FromMinutes(1), MaxInterval = TimeSpan.FromDays(365), MaxRetryAfter = TimeSpan.FromDays(1);

    /// <summary>Gets or sets the folder for the backups, which must exist. Nodes may share it. Default: none, so that no backups are made.</summary>
    public string? Folder { get; set; }

    /// <summary>Gets or sets the time from one backup to the next, from a minute to 365 days. Default: none. Set this or <see cref="TimesOfDay"/>.</summary>
    public TimeSpan? Interval { get; set; }

    /// <summary>Gets or sets the times of the day (UTC) at which backups are made. Default: none. Set this or <see cref="Interval"/>.</summary>
    public IReadOnlyList<TimeOnly> TimesOfDay { get; set; } = [];

    /// <summary>Gets or sets the number of the newest backups that are kept in any case, from 1 to 10,000. Default: 7.</summary>
    public int Keep { get; set; } = 7;

    /// <summary>Gets or sets the age up to which further backups are kept. Default: none, so that only the newest ones are kept.</summary>
    public TimeSpan? KeepFor { get; set; }

    /// <summary>
    /// Gets or sets whether each backup is read as a whole and verified before it gets its name and older ones are deleted. Default:
    /// <see langword="true"/>. Reading takes about as long as the backup.
    /// </summary>
    public bool Verify { get; set; } = true;

    /// <summary>Gets or sets the time after which a failed backup is made again, up to a day. Default: 5 minutes.</summary>
    public TimeSpan RetryAfter { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>True if backups are to be made.</summary>
    internal bool IsOn => Folder is not null || Interval is not null || TimesOfDay.Count > 0;

    internal void Validate()
    {
        if (!IsOn)
            return;
        if (string.IsNullOrWhiteSpace(Folder))
            throw Invalid(nameof(Folder), "is not set. Set it to a folder that exists.");
        if (Interval is null && TimesOfDay.Count == 0)
            throw Invalid(nameof(Interval), $"is not set. Set it, or {nameof(TimesOfDay)}.");
        if (Interval is not null && TimesOfDay.Count > 0)
            throw Invalid(nameof(TimesOfDay), $"is set, and so is {nameof(Interval)}. Set one of them.");
        if (Interval is { } interval && (interval < MinInterval || interval > MaxInterval))
            throw Invalid(nameof(Interval), $"is {interval}; it must be from {MinInterval} to {MaxInterval.Days} days.");
        if (Keep is < 1 or > 10_000)
            throw Invalid(nameof(Keep), $"is {Keep}; it must be from 1 to 10,000.");
        if (KeepFor is { Ticks: <= 0 })
            throw Invalid(nameof(KeepFor), $"is {KeepFor}; it must be positive.");
        if (RetryAfter < TimeSpan.FromSeconds(1) || RetryAfter > MaxRetryAfter)
            throw Invalid(nameof(RetryAfter), $"is {RetryAfter}; it must be from a second to a day.");
    }

    static ArgumentException Invalid(string name, string problem) => new($"{nameof(BackupOptions)}.{name} {problem}", name);
}
