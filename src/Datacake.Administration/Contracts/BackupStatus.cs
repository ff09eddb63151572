namespace Datacake.Administration;

/// <summary>The state of a node's scheduled backups.</summary>
/// <param name="Folder">The folder of the backups, on the node's machine.</param>
/// <param name="LastAt">The time of the last good backup, which was verified unless that is switched off; null if there is none.</param>
/// <param name="LastFile">The path of the last good backup.</param>
/// <param name="LastBytes">The size of the last good backup.</param>
/// <param name="NextAt">The time at which the next backup, or the next attempt after a failure, is due.</param>
/// <param name="Failure">The error of the last attempt; null if it has succeeded.</param>
/// <param name="FailingSince">The time of the first attempt that has failed since the last good backup.</param>
public sealed record BackupStatus(
    string Folder, DateTimeOffset? LastAt, string? LastFile, long? LastBytes, DateTimeOffset NextAt, string? Failure, DateTimeOffset? FailingSince);
