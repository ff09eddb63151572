using Microsoft.Extensions.Logging;

namespace Datacake.Extensions.Caching.Diagnostics;

/// <summary>The log messages of the caches.</summary>
static partial class CachingLog
{
    [LoggerMessage(7001, LogLevel.Warning, "The cache in keyspace {Keyspace} cannot watch changes and keeps nothing in memory; will retry in {Seconds} s.")]
    public static partial void WatchFailed(ILogger logger, Exception exception, string keyspace, double seconds);

    [LoggerMessage(7002, LogLevel.Information, "The cache in keyspace {Keyspace} has {Length} bytes and its limit is {Limit} bytes; {Count} entries were removed.")]
    public static partial void Evicted(ILogger logger, string keyspace, long length, long limit, int count);

    [LoggerMessage(7003, LogLevel.Warning, "The size of the cache in keyspace {Keyspace} could not be limited; will retry in {Seconds} s.")]
    public static partial void LimitFailed(ILogger logger, Exception exception, string keyspace, double seconds);

    [LoggerMessage(7004, LogLevel.Warning, "An entry of the cache in keyspace {Keyspace} could not be read and counts as missing.")]
    public static partial void ReadFailed(ILogger logger, Exception exception, string keyspace);

    [LoggerMessage(7005, LogLevel.Warning, "A new entry of the cache in keyspace {Keyspace} could not be stored; its value was returned to the caller.")]
    public static partial void StoreFailed(ILogger logger, Exception exception, string keyspace);

    [LoggerMessage(7006, LogLevel.Warning, "The lease for a factory of the cache in keyspace {Keyspace} could not be acquired; the factory runs without it.")]
    public static partial void WithoutLease(ILogger logger, Exception exception, string keyspace);

    [LoggerMessage(7007, LogLevel.Warning, "{Count} sliding expiries of the cache in keyspace {Keyspace} were not renewed since the last such message; the next reads will retry.")]
    public static partial void RenewalsMissed(ILogger logger, Exception? exception, string keyspace, long count);

    [LoggerMessage(7008, LogLevel.Warning, "A stale entry of the cache in keyspace {Keyspace} could not be removed again; it stays until it expires.")]
    public static partial void RemovalFailed(ILogger logger, Exception exception, string keyspace);

    [LoggerMessage(7009, LogLevel.Warning, "The store of the cache in keyspace {Keyspace} could not be opened; factories run without the cache until it is open.")]
    public static partial void WithoutStore(ILogger logger, Exception exception, string keyspace);
}
