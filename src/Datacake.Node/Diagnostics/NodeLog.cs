using System.Net;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Diagnostics;

/// <summary>The log messages of a node.</summary>
static partial class NodeLog
{
    [LoggerMessage(
        2001,
        LogLevel.Information,
        "Node {NodeId} of cluster '{ClusterId}' is running at {Address} in data center '{DataCenter}' (generation {Generation}).")]
    public static partial void Started(ILogger logger, byte nodeId, string clusterId, string address, string dataCenter, ulong generation);

    [LoggerMessage(2002, LogLevel.Information, "Node {NodeId} at {Address} has stopped.")]
    public static partial void Stopped(ILogger logger, byte nodeId, string address);

    [LoggerMessage(2004, LogLevel.Error, "{Refusal} (Refusal {Count} of this kind.)")]
    public static partial void Refused(ILogger logger, string refusal, long count);

    [LoggerMessage(2005, LogLevel.Warning, "An invalid gossip message from {Peer} was dropped: {Reason} (message {Count} of this kind).")]
    public static partial void MessageDropped(ILogger logger, string peer, string reason, long count);

    [LoggerMessage(2006, LogLevel.Debug, "Gossip with {Peer} failed: {Reason}")]
    public static partial void ExchangeFailed(ILogger logger, string peer, string reason);

    [LoggerMessage(2007, LogLevel.Warning, "The seed '{Seed}' cannot be resolved ({Reason}); will retry (attempt {Count}).")]
    public static partial void SeedNotResolved(ILogger logger, string seed, string reason, long count);

    [LoggerMessage(
        2008,
        LogLevel.Error,
        "The wall clocks of node {NodeId} ({LocalTime:u}) and {Peer} ({PeerTime:u}) differ by {Difference}, more than the limit of "
        + "{Limit}; the cluster clock of this node ignores the stamps of that node until the wrong wall clock is corrected (NTP).")]
    public static partial void ClocksDiffer(
        ILogger logger, byte nodeId, DateTimeOffset localTime, GossipId peer, DateTimeOffset peerTime, TimeSpan difference, TimeSpan limit);

    [LoggerMessage(2009, LogLevel.Error, "A round of gossip failed; will retry in the next round (failure {Count} in a row).")]
    public static partial void RoundFailed(ILogger logger, long count, Exception failure);

    [LoggerMessage(2010, LogLevel.Error, "Disposing the extension {Extension} failed; the node continues to stop.")]
    public static partial void ExtensionFailed(ILogger logger, string extension, Exception failure);

    [LoggerMessage(
        2011,
        LogLevel.Error,
        "The member list cannot be saved in {Storage}; will retry when members change, and until then a restarted node depends on its seeds.")]
    public static partial void MembersNotKept(ILogger logger, string storage, Exception failure);

    [LoggerMessage(2013, LogLevel.Information, "The wall clocks of node {NodeId} ({LocalTime:u}) and {Peer} ({PeerTime:u}) agree again.")]
    public static partial void ClocksAgree(ILogger logger, byte nodeId, DateTimeOffset localTime, GossipId peer, DateTimeOffset peerTime);

    [LoggerMessage(2014, LogLevel.Information, "The seed '{Seed}' can be resolved again.")]
    public static partial void SeedResolved(ILogger logger, string seed);

    [LoggerMessage(2015, LogLevel.Information, "A refusal has not occurred again for a while: {Refusal}")]
    public static partial void RefusalEnded(ILogger logger, string refusal);

    [LoggerMessage(
        2016,
        LogLevel.Error,
        "A node of another implementation, {Peer}, uses the id {NodeId} of a Datacake node and is not a member; give it another name.")]
    public static partial void ForeignNamesake(ILogger logger, GossipId peer, byte nodeId);

    [LoggerMessage(2017, LogLevel.Information, "The node of another implementation, {Peer}, no longer uses the id of a Datacake node.")]
    public static partial void ForeignNamesakeGone(ILogger logger, GossipId peer);

    [LoggerMessage(
        2018,
        LogLevel.Warning,
        "Node {NodeId} listens on all interfaces, but its advertised name '{Address}' resolves to the loopback endpoint {Endpoint} on this "
        + "machine, where nodes of other gossip implementations cannot reach it; remove the name from the loopback line of the hosts file, "
        + "or advertise an IP address.")]
    public static partial void AdvertisedLoopback(ILogger logger, byte nodeId, string address, string endpoint);

    [LoggerMessage(
        2019,
        LogLevel.Warning,
        "A datagram from {Endpoint} was dropped because no node of the cluster has sealed it or because it is a replay; check for nodes with "
        + "another cluster secret or with PlainUdp (datagram {Count} of this kind).")]
    public static partial void DatagramRefused(ILogger logger, IPEndPoint endpoint, long count);

    [LoggerMessage(2020, LogLevel.Information, "No datagram had to be dropped for a while.")]
    public static partial void DatagramsAccepted(ILogger logger);

    [LoggerMessage(
        2021,
        LogLevel.Error,
        "The node {Peer} speaks version {Theirs} of the node protocol, but this node speaks version {Ours}; install the same version of the library on both.")]
    public static partial void OtherProtocol(ILogger logger, GossipId peer, string theirs, string ours);

    [LoggerMessage(2022, LogLevel.Information, "No node {Peer} with version {Version} of the node protocol is up any longer.")]
    public static partial void OtherProtocolGone(ILogger logger, GossipId peer, string version);

    [LoggerMessage(2012, LogLevel.Warning, "The member list in {Storage} is ignored because {Reason}; the node depends on its seeds.")]
    public static partial void MembersNotRead(ILogger logger, string storage, string reason);
}
