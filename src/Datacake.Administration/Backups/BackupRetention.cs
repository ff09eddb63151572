namespace Datacake.Administration.Backups;

/// <summary>The rule for backups that are kept. Pure: it deletes nothing.</summary>
static class BackupRetention
{
    /// <summary>
    /// Returns the backups that may be deleted: those that are neither among the newest ones nor young enough. A backup with a time in the future is kept, and not
    /// counted: a wrong clock must not make it replace others.
    /// </summary>
    /// <param name="files">All backups of the store.</param>
    /// <param name="now">The present time.</param>
    /// <param name="keep">The number of the newest backups to keep, at least 1.</param>
    /// <param name="keepFor">The age up to which further backups are kept; null for none.</param>
    public static IEnumerable<BackupFile> Expired(IEnumerable<BackupFile> files, DateTimeOffset now, int keep, TimeSpan? keepFor)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        return files.Where(file => file.Time <= now).OrderByDescending(static file => file.Time).Skip(keep).Where(file => keepFor is not { } age || now - file.Time > age);
    }
}
