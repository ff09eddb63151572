using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>What a node logs.</summary>
static partial class NodeLog
{
    [LoggerMessage(
        1,
        LogLevel.Information,
        "Node {NodeId} of cluster '{ClusterId}' runs at {Address} in data centre '{DataCenter}' (generation {Generation}).")]
    public static partial void Started(ILogger logger, byte nodeId, string clusterId, string address, string dataCenter, ulong generation);

    [LoggerMessage(2, LogLevel.Information, "Node {NodeId} at {Address} has stopped.")]
    public static partial void Stopped(ILogger logger, byte nodeId, string address);

    [LoggerMessage(3, LogLevel.Information, "{Change}: {Member}.")]
    public static partial void MemberChanged(ILogger logger, MembershipChangeKind change, ClusterMember member);

    [LoggerMessage(4, LogLevel.Error, "{Refusal}")]
    public static partial void Refused(ILogger logger, string refusal);

    [LoggerMessage(5, LogLevel.Warning, "A gossip message from {Peer} was dropped: {Reason}.")]
    public static partial void MessageDropped(ILogger logger, string peer, string reason);

    [LoggerMessage(6, LogLevel.Debug, "No gossip with {Peer}: {Reason}")]
    public static partial void ExchangeFailed(ILogger logger, string peer, string reason);

    [LoggerMessage(7, LogLevel.Warning, "The seed '{Seed}' cannot be resolved ({Reason}); it is tried again.")]
    public static partial void SeedNotResolved(ILogger logger, string seed, string reason);

    [LoggerMessage(8, LogLevel.Error, "The clocks of two nodes differ too much. {Reason}")]
    public static partial void ClockDrift(ILogger logger, string reason);

    [LoggerMessage(9, LogLevel.Error, "A round of gossip failed; the next one goes on.")]
    public static partial void RoundFailed(ILogger logger, Exception failure);

    [LoggerMessage(10, LogLevel.Error, "The extension {Extension} failed while it was disposed; the node goes on stopping.")]
    public static partial void ExtensionFailed(ILogger logger, string extension, Exception failure);

    [LoggerMessage(
        11,
        LogLevel.Error,
        "The members cannot be kept in {Storage}; it is tried again with their next change. Until then, a restart finds them by the seeds only.")]
    public static partial void MembersNotKept(ILogger logger, string storage, Exception failure);

    [LoggerMessage(12, LogLevel.Warning, "The members that {Storage} keeps are not used: {Reason}. The node looks for its seeds only.")]
    public static partial void MembersNotRead(ILogger logger, string storage, string reason);
}
