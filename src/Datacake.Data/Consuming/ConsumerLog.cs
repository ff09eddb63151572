using Microsoft.Extensions.Logging;

namespace Datacake.Data.Consuming;

/// <summary>The log of durable consumers.</summary>
static partial class ConsumerLog
{
    [LoggerMessage(4006, LogLevel.Information, "Node {Node} runs the consumer {Consumer} in term {Term}.")]
    public static partial void Started(ILogger logger, byte node, string consumer, long term);

    [LoggerMessage(4007, LogLevel.Information, "Node {Node} no longer runs the consumer {Consumer}.")]
    public static partial void Ended(ILogger logger, byte node, string consumer);

    [LoggerMessage(4008, LogLevel.Warning, "The consumer {Consumer} failed to process {Changes} changes and will retry in {Delay} s; this was attempt {Attempt}.")]
    public static partial void HandlerFailed(ILogger logger, Exception failure, string consumer, int changes, double delay, int attempt);

    [LoggerMessage(4009, LogLevel.Warning, "The consumer {Consumer} cannot run on node {Node} and will retry in {Delay} s: {Reason}.")]
    public static partial void Failed(ILogger logger, Exception? failure, string consumer, byte node, double delay, string reason);

    [LoggerMessage(4010, LogLevel.Warning, "The consumer {Consumer} reads all entities again, because the log no longer has the changes after its position.")]
    public static partial void Reset(ILogger logger, string consumer);

    [LoggerMessage(4011, LogLevel.Warning, "The consumer {Consumer} continues on node {Node} although the node lacks transactions that were processed elsewhere; if they arrive, they are processed again.")]
    public static partial void Behind(ILogger logger, string consumer, byte node);
}
