namespace Datacake.Administration.Contracts;

/// <summary>The answer of a node to whether the store of a backup is still that of its node.</summary>
/// <param name="Problem">The problem, as a sentence; null if the backup can be restored.</param>
/// <param name="Remedy">The remedy, as a sentence; null if the backup can be restored.</param>
sealed record BackupCheck(string? Problem = null, string? Remedy = null);
