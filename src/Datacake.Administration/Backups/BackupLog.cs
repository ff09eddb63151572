using Microsoft.Extensions.Logging;

namespace Datacake.Administration.Backups;

/// <summary>The log of backups.</summary>
static partial class BackupLog
{
    [LoggerMessage(5004, LogLevel.Information, "Node {NodeId} was backed up to {Path} ({Bytes} bytes) in {Seconds} s, and {Deleted} older backups were deleted.")]
    public static partial void BackedUp(ILogger logger, int nodeId, string path, long bytes, double seconds, int deleted);

    [LoggerMessage(5005, LogLevel.Error, "The backup of node {NodeId} to {Folder} has failed (attempt {Attempt}); the next attempt is at {RetryAt}.")]
    public static partial void BackupFailed(ILogger logger, int nodeId, string folder, int attempt, DateTimeOffset retryAt, Exception exception);

    [LoggerMessage(5006, LogLevel.Warning, "Node {NodeId} could not delete {Path}.")]
    public static partial void BackupNotDeleted(ILogger logger, int nodeId, string path, Exception exception);
}
