using Microsoft.Extensions.Logging;

namespace Datacake.Hosting;

/// <summary>The log messages of the services that run on one node at a time.</summary>
static partial class HostingLog
{
    [LoggerMessage(5101, LogLevel.Information, "Node {Node} runs the singleton {Service} with the fencing token {Token}.")]
    public static partial void SingletonStarted(ILogger logger, byte node, string service, long token);

    [LoggerMessage(5102, LogLevel.Information, "Node {Node} has stopped the singleton {Service}.")]
    public static partial void SingletonStopped(ILogger logger, byte node, string service);

    [LoggerMessage(5103, LogLevel.Error, "The singleton {Service} will be restarted in {Seconds:0.###} s after failure {Count} in a row.")]
    public static partial void SingletonFailed(ILogger logger, Exception exception, string service, double seconds, int count);

    [LoggerMessage(5104, LogLevel.Warning, "The lease of the singleton {Service} could not be requested; will retry: {Reason}.")]
    public static partial void SingletonWithoutLease(ILogger logger, Exception? exception, string service, string reason);

    [LoggerMessage(5105, LogLevel.Information, "The singleton {Service} has completed; node {Node} keeps its lease, so that no other node runs it again.")]
    public static partial void SingletonCompleted(ILogger logger, string service, byte node);

    [LoggerMessage(5106, LogLevel.Error, "The stop of the singleton {Service} failed.")]
    public static partial void SingletonNotStopped(ILogger logger, Exception exception, string service);

    [LoggerMessage(
        5107, LogLevel.Critical,
        "The singleton {Service} could not be stopped and may still work; node {Node} does not release its lease, and does not run the service again until the node is restarted.")]
    public static partial void SingletonMayStillWork(ILogger logger, Exception exception, string service, byte node);
}
