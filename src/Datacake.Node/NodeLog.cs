using System.Net;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>What a node logs.</summary>
static partial class NodeLog
{
    [LoggerMessage(
        1,
        LogLevel.Information,
        "Node {NodeId} of cluster '{ClusterId}' runs at {Address} in data center '{DataCenter}' (generation {Generation}).")]
    public static partial void Started(ILogger logger, byte nodeId, string clusterId, string address, string dataCenter, ulong generation);

    [LoggerMessage(2, LogLevel.Information, "Node {NodeId} at {Address} has stopped.")]
    public static partial void Stopped(ILogger logger, byte nodeId, string address);

    [LoggerMessage(3, LogLevel.Information, "{Change}: {Member}.")]
    public static partial void MemberChanged(ILogger logger, MembershipChangeKind change, ClusterMember member);

    [LoggerMessage(4, LogLevel.Error, "{Refusal} (Message {Count} of its kind.)")]
    public static partial void Refused(ILogger logger, string refusal, long count);

    [LoggerMessage(5, LogLevel.Warning, "A gossip message from {Peer} was dropped: {Reason}. (Message {Count} of its kind.)")]
    public static partial void MessageDropped(ILogger logger, string peer, string reason, long count);

    [LoggerMessage(6, LogLevel.Debug, "No gossip with {Peer}: {Reason}")]
    public static partial void ExchangeFailed(ILogger logger, string peer, string reason);

    [LoggerMessage(7, LogLevel.Warning, "The seed '{Seed}' cannot be resolved ({Reason}); will retry. (Attempt {Count}.)")]
    public static partial void SeedNotResolved(ILogger logger, string seed, string reason, long count);

    [LoggerMessage(
        8,
        LogLevel.Error,
        "The wall clocks of node {NodeId} ({LocalTime:u}) and {Peer} ({PeerTime:u}) differ by {Difference}, more than the limit of {Limit}; "
        + "until the wrong one is set right (NTP), the cluster clock here does not follow the stamps of that node.")]
    public static partial void ClocksDiffer(
        ILogger logger, byte nodeId, DateTimeOffset localTime, GossipId peer, DateTimeOffset peerTime, TimeSpan difference, TimeSpan limit);

    [LoggerMessage(9, LogLevel.Error, "A round of gossip failed; the next one will run. (Failure {Count} in a row.)")]
    public static partial void RoundFailed(ILogger logger, long count, Exception failure);

    [LoggerMessage(10, LogLevel.Error, "The extension {Extension} failed while it was disposed; the node goes on stopping.")]
    public static partial void ExtensionFailed(ILogger logger, string extension, Exception failure);

    [LoggerMessage(
        11,
        LogLevel.Error,
        "The members cannot be kept in {Storage}; it is tried again with their next change. Until then, a restart finds them by the seeds only.")]
    public static partial void MembersNotKept(ILogger logger, string storage, Exception failure);

    [LoggerMessage(13, LogLevel.Information, "The wall clocks of node {NodeId} ({LocalTime:u}) and {Peer} ({PeerTime:u}) agree again.")]
    public static partial void ClocksAgree(ILogger logger, byte nodeId, DateTimeOffset localTime, GossipId peer, DateTimeOffset peerTime);

    [LoggerMessage(14, LogLevel.Information, "The seed '{Seed}' can be resolved again.")]
    public static partial void SeedResolved(ILogger logger, string seed);

    [LoggerMessage(15, LogLevel.Information, "This was not seen for a while and is over: {Refusal}")]
    public static partial void RefusalEnded(ILogger logger, string refusal);

    [LoggerMessage(
        16,
        LogLevel.Error,
        "Another implementation runs as {Peer} and uses the id {NodeId} of a node of this one; it is not a member. Give it another name.")]
    public static partial void ForeignNamesake(ILogger logger, GossipId peer, byte nodeId);

    [LoggerMessage(17, LogLevel.Information, "The other implementation that ran as {Peer} no longer uses the id of a node of this one.")]
    public static partial void ForeignNamesakeGone(ILogger logger, GossipId peer);

    [LoggerMessage(
        18,
        LogLevel.Warning,
        "Node {NodeId} listens on all interfaces, and its advertised name '{Address}' means {Endpoint} on this machine, which is loopback; "
        + "other implementations of gossip cannot reach it there. Take the name out of the loopback line of the hosts file, or advertise an IP address.")]
    public static partial void AdvertisedLoopback(ILogger logger, byte nodeId, string address, string endpoint);

    [LoggerMessage(
        19,
        LogLevel.Warning,
        "A datagram that came from {Endpoint} was dropped: no node of the cluster has sealed it, or it was sent again by somebody. Nodes whose cluster secret differs, "
        + "and nodes that gossip without one (PlainUdp), are not heard. (Datagram {Count} of its kind.)")]
    public static partial void DatagramRefused(ILogger logger, IPEndPoint endpoint, long count);

    [LoggerMessage(20, LogLevel.Information, "No more datagrams had to be dropped for a while.")]
    public static partial void DatagramsAccepted(ILogger logger);

    [LoggerMessage(12, LogLevel.Warning, "The members that {Storage} keeps are not used: {Reason}. The node looks for its seeds only.")]
    public static partial void MembersNotRead(ILogger logger, string storage, string reason);
}
