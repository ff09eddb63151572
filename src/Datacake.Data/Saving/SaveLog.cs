using Datacake.EventualConsistency;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.Data.Saving;

/// <summary>The log of saves.</summary>
static partial class SaveLog
{
    [LoggerMessage(4002, LogLevel.Debug, "{Count} entities were saved at level {Level} in {Milliseconds:0.###} ms, acknowledged by the nodes {Acknowledged}.")]
    public static partial void Saved(ILogger logger, int count, Consistency level, double milliseconds, NodeSet acknowledged);

    [LoggerMessage(4003, LogLevel.Debug, "A save at level {Level} failed after {Milliseconds:0.###} ms: {Reason}")]
    public static partial void Failed(ILogger logger, Consistency level, double milliseconds, string reason);
}
