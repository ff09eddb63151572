namespace Datacake.Administration.Backups;

/// <summary>A file with a scheduled backup.</summary>
/// <param name="Path">The path of the file.</param>
/// <param name="Time">The time of the backup, from the name of the file.</param>
sealed record BackupFile(string Path, DateTimeOffset Time);
