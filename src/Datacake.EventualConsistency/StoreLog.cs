using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>What a store logs.</summary>
static partial class StoreLog
{
    [LoggerMessage(1, LogLevel.Information, "Node {Node} opened its replica in the {Storage}: {State}")]
    public static partial void Opened(ILogger logger, byte node, string storage, string state);

    [LoggerMessage(2, LogLevel.Information, "Node {Node} joined the cluster: {How}")]
    public static partial void Joined(ILogger logger, byte node, string how);

    [LoggerMessage(3, LogLevel.Error, "The {Storage} refused a commit; {Count} waiting changes failed")]
    public static partial void CommitFailed(ILogger logger, Exception exception, string storage, int count);

    [LoggerMessage(4, LogLevel.Debug, "Session with node {Peer} at {Address} is open")]
    public static partial void SessionOpened(ILogger logger, byte peer, string address);

    [LoggerMessage(5, LogLevel.Debug, "Session with node {Peer} at {Address} is over: {Reason}")]
    public static partial void SessionClosed(ILogger logger, byte peer, string address, string reason);

    [LoggerMessage(6, LogLevel.Error, "The peer at {Address} sent something that is refused, and nothing of it is stored; the session with it is closed")]
    public static partial void PeerRefused(ILogger logger, Exception exception, string address);

    [LoggerMessage(7, LogLevel.Error, "No replication with the peer at {Address}: {Reason}")]
    public static partial void SessionRefused(ILogger logger, string address, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Node {Peer} is too slow for what is written: it will fetch what was dropped")]
    public static partial void PeerLags(ILogger logger, byte peer);

    [LoggerMessage(9, LogLevel.Warning, "Node {Node} has not joined yet: {Reason}")]
    public static partial void NotJoined(ILogger logger, byte node, string reason);

    [LoggerMessage(18, LogLevel.Information, "Node {Node} joins: {Count} of about {Estimated} documents have come, the last ones from node {Source}")]
    public static partial void Joining(ILogger logger, byte node, long count, long estimated, int source);

    [LoggerMessage(10, LogLevel.Error, "Node {Node} could not report to its peers and collect what all have; it tries again")]
    public static partial void TickFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(11, LogLevel.Error, "The session with the peer at {Address} failed; another one is opened")]
    public static partial void SessionFailed(ILogger logger, Exception exception, string address);

    [LoggerMessage(12, LogLevel.Error, "Node {Peer} could not be sent what it lacks; it asks again")]
    public static partial void AnswerFailed(ILogger logger, Exception exception, byte peer);

    [LoggerMessage(13, LogLevel.Error, "A {Message} of node {Peer} could not be worked on, and is dropped; what it brought is fetched again")]
    public static partial void MessageDropped(ILogger logger, Exception exception, string message, byte peer);

    [LoggerMessage(14, LogLevel.Error, "What a commit means for others could not be told them; they fetch it")]
    public static partial void CommitNotTold(ILogger logger, Exception exception);

    [LoggerMessage(15, LogLevel.Information, "The index {Index} of the keyspace {Keyspace} is being built from about {Count} documents; queries read all until it is there")]
    public static partial void IndexBuilding(ILogger logger, string index, string keyspace, long count);

    [LoggerMessage(16, LogLevel.Information, "The index {Index} of the keyspace {Keyspace} is built, from {Count} documents")]
    public static partial void IndexBuilt(ILogger logger, string index, string keyspace, long count);

    [LoggerMessage(17, LogLevel.Debug, "What a read of node {Node} found missing on some replicas was not fetched at once; replication brings it")]
    public static partial void RepairFailed(ILogger logger, Exception exception, byte node);
}
