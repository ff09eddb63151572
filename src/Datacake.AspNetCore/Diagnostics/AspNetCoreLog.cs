using Datacake.Crdt;
using Microsoft.AspNetCore.Http;
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

    [LoggerMessage(8011, LogLevel.Warning, "A save of the request {Path} was made after its response had started, so the client was not told its token and may not read the save on other nodes at once.")]
    public static partial void SavedTooLate(ILogger logger, PathString path);

    [LoggerMessage(8012, LogLevel.Debug, "The tokens of saves that a request presented, {Length} characters, are malformed and were ignored.")]
    public static partial void TokensMalformed(ILogger logger, int length);

    [LoggerMessage(8013, LogLevel.Debug, "The token {Stamp} that a request presented is from the future and was ignored.")]
    public static partial void TokenFromTheFuture(ILogger logger, HlcTimestamp stamp);

    [LoggerMessage(8014, LogLevel.Debug, "A save that a request presented is older than {MaxAge} and has not reached this node; the request did not wait for it.")]
    public static partial void SaveTooOld(ILogger logger, TimeSpan maxAge);

    [LoggerMessage(8015, LogLevel.Debug, "{Count} requests already wait for saves of other nodes; another one did not wait.")]
    public static partial void TooManyWait(ILogger logger, int count);

    [LoggerMessage(8016, LogLevel.Debug, "The saves that a request presented have not reached this node within {Timeout}.")]
    public static partial void SavesNotArrived(ILogger logger, TimeSpan timeout);
}
