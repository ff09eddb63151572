using Microsoft.Extensions.Logging;

namespace Datacake.AspNetCore.Diagnostics;

/// <summary>The log messages of this package.</summary>
static partial class AspNetCoreLog
{
    [LoggerMessage(8001, LogLevel.Error, "The document {Key} in keyspace {Keyspace} is not a data protection key and was skipped; what was protected with it cannot be read.")]
    public static partial void KeyUnreadable(ILogger logger, Exception exception, string key, string keyspace);

    [LoggerMessage(8002, LogLevel.Warning, "The data protection key {Key} is stored on this node, but not acknowledged by the nodes that the level requires; it continues to replicate.")]
    public static partial void KeyNotAcknowledged(ILogger logger, Exception exception, string key);

    [LoggerMessage(8003, LogLevel.Warning, "The data protection keys in keyspace {Keyspace} cannot be watched, so those of other nodes are used late; will retry in {Seconds} s.")]
    public static partial void KeyWatchFailed(ILogger logger, Exception exception, string keyspace, double seconds);

    [LoggerMessage(8004, LogLevel.Warning, "The data protection element {Key} in keyspace {Keyspace} could not be deleted.")]
    public static partial void KeyNotDeleted(ILogger logger, Exception exception, string key, string keyspace);
}
