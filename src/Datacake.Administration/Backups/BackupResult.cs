using Datacake.Administration.Contracts;

namespace Datacake.Administration.Backups;

/// <summary>A backup that was written.</summary>
/// <param name="Path">The path of the file.</param>
/// <param name="At">The time of the backup.</param>
/// <param name="Bytes">The size of the file.</param>
/// <param name="Verification">The result of its verification; null if it was not verified.</param>
/// <param name="Deleted">The number of older backups that were deleted.</param>
sealed record BackupResult(string Path, DateTimeOffset At, long Bytes, BackupVerification? Verification, int Deleted = 0);
