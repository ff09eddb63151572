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

    [LoggerMessage(8021, LogLevel.Debug, "Node {Node} receives the messages of the hub {Hub}.")]
    public static partial void PeerConnected(ILogger logger, byte node, string hub);

    [LoggerMessage(8022, LogLevel.Warning, "The connection to node {Node} for messages of the hub {Hub} has ended; messages that were on their way may be lost.")]
    public static partial void PeerLost(ILogger logger, Exception exception, byte node, string hub);

    [LoggerMessage(8023, LogLevel.Debug, "Node {Node} cannot be reached with messages of the hub {Hub}; will retry.")]
    public static partial void PeerUnreachable(ILogger logger, Exception exception, byte node, string hub);

    [LoggerMessage(8024, LogLevel.Warning, "Node {Node} is too slow for the messages of the hub {Hub}: after a wait of {Timeout}, messages to it are dropped, {Count} so far.")]
    public static partial void PeerSlow(ILogger logger, byte node, string hub, TimeSpan timeout, long count);

    [LoggerMessage(8025, LogLevel.Warning, "Node {Node} receives the messages of the hub {Hub} again; {Count} were dropped because it was slow.")]
    public static partial void PeerNoLongerSlow(ILogger logger, byte node, string hub, long count);

    [LoggerMessage(8026, LogLevel.Warning, "{Count} messages of the hub {Hub} to node {Node} were dropped, because it {Reason}.")]
    public static partial void MessagesOfGonePeer(ILogger logger, int count, string hub, byte node, string reason);

    [LoggerMessage(8027, LogLevel.Error, "A message of {Length} bytes of the hub {Hub} is larger than node {Node} accepts, and was dropped.")]
    public static partial void MessageTooLarge(ILogger logger, Exception exception, int length, string hub, byte node);

    [LoggerMessage(8028, LogLevel.Warning, "A connection to the hub {Hub} is accepted although messages of the nodes {Nodes} do not reach this node after {Timeout}.")]
    public static partial void PeersNotConnected(ILogger logger, string hub, string nodes, TimeSpan timeout);

    [LoggerMessage(8029, LogLevel.Debug, "An answer to node {Node} for the hub {Hub} could not be sent.")]
    public static partial void ReplyNotSent(ILogger logger, Exception exception, byte node, string hub);

    [LoggerMessage(8030, LogLevel.Error, "A message to connection {Connection} of the hub {Hub} was dropped, because the node that sent it does not have the protocol {Protocol}; register the same protocols on all nodes.")]
    public static partial void ProtocolMissing(ILogger logger, string connection, string hub, string protocol);

    [LoggerMessage(8031, LogLevel.Debug, "Node {Node} no longer receives the messages of the hub {Hub}, because it stops or no longer has the hub.")]
    public static partial void PeerEnded(ILogger logger, byte node, string hub);
}
