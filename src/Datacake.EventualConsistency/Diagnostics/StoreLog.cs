using Datacake.Crdt;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Diagnostics;

/// <summary>What a store logs.</summary>
static partial class StoreLog
{
    [LoggerMessage(1, LogLevel.Information, "Node {Node} opened its replica in the {Storage}: it is {State}.")]
    public static partial void Opened(ILogger logger, byte node, string storage, string state);

    [LoggerMessage(2, LogLevel.Information, "Node {Node} joined the cluster of {Members} members; its first stamp is {Run}.")]
    public static partial void Joined(ILogger logger, byte node, int members, HlcTimestamp run);

    [LoggerMessage(3, LogLevel.Error, "The {Storage} refused a commit; {Count} waiting changes failed.")]
    public static partial void CommitFailed(ILogger logger, Exception exception, string storage, int count);

    [LoggerMessage(36, LogLevel.Information, "The {Storage} has room again.")]
    public static partial void HasRoom(ILogger logger, string storage);

    [LoggerMessage(4, LogLevel.Debug, "The session with node {Peer} at {Address} is open.")]
    public static partial void SessionOpened(ILogger logger, byte peer, string address);

    [LoggerMessage(19, LogLevel.Information, "The session with node {Peer} at {Address} is open, after {Count} failed attempts.")]
    public static partial void SessionReopened(ILogger logger, byte peer, string address, int count);

    [LoggerMessage(5, LogLevel.Information, "The session with node {Peer} at {Address} ended: {Reason}.")]
    public static partial void SessionEnded(ILogger logger, byte peer, string address, string reason);

    [LoggerMessage(6, LogLevel.Warning, "A stream from {Host} was refused: {Reason}.")]
    public static partial void StreamRefused(ILogger logger, string host, string reason);

    [LoggerMessage(7, LogLevel.Error, "No replication with node {Peer} at {Address}: {Reason}.")]
    public static partial void SessionRefused(ILogger logger, Exception? exception, byte peer, string address, string reason);

    [LoggerMessage(20, LogLevel.Warning, "No session with node {Peer} at {Address}, will retry: {Reason}.")]
    public static partial void NoSession(ILogger logger, byte peer, string address, string reason);

    [LoggerMessage(21, LogLevel.Warning, "Still no session with node {Peer} at {Address} after {Count} attempts: {Reason}.")]
    public static partial void StillNoSession(ILogger logger, byte peer, string address, int count, string reason);

    [LoggerMessage(8, LogLevel.Warning, "Node {Peer} is too slow for what is written; it will fetch what was dropped.")]
    public static partial void PeerLags(ILogger logger, byte peer);

    [LoggerMessage(9, LogLevel.Warning, "Node {Node} has not joined yet, after {Seconds:0} s: {Reason}")]
    public static partial void NotJoined(ILogger logger, byte node, double seconds, string reason);

    [LoggerMessage(18, LogLevel.Information, "Node {Node} joins: {Count} of about {Estimated} documents have come, the last ones from node {Source}.")]
    public static partial void Joining(ILogger logger, byte node, long count, long estimated, int source);

    [LoggerMessage(10, LogLevel.Error, "Node {Node} failed to report to its peers and to collect what all have; will retry.")]
    public static partial void TickFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(11, LogLevel.Error, "The session with a peer at {Host} failed; another one will be opened.")]
    public static partial void SessionFailed(ILogger logger, Exception exception, string host);

    [LoggerMessage(12, LogLevel.Error, "Node {Peer} could not be sent what it lacks; it will ask again.")]
    public static partial void AnswerFailed(ILogger logger, Exception exception, byte peer);

    [LoggerMessage(13, LogLevel.Error, "A {Message} of node {Peer} could not be processed and is dropped; what it brought will be fetched again.")]
    public static partial void MessageDropped(ILogger logger, Exception exception, string message, byte peer);

    [LoggerMessage(14, LogLevel.Error, "A commit succeeded, but telling others of it failed; peers will fetch it.")]
    public static partial void CommitNotTold(ILogger logger, Exception exception);

    [LoggerMessage(15, LogLevel.Information, "The index {Index} of the keyspace {Keyspace} is being built from about {Count} documents; queries read all documents until it is built.")]
    public static partial void IndexBuilding(ILogger logger, string index, string keyspace, long count);

    [LoggerMessage(16, LogLevel.Information, "The index {Index} of the keyspace {Keyspace} is built from {Count} documents.")]
    public static partial void IndexBuilt(ILogger logger, string index, string keyspace, long count);

    [LoggerMessage(22, LogLevel.Warning, "Node {Node} closes its store while {Count} of its transactions are not known to be on any other member; they will replicate when it runs again.")]
    public static partial void LeftBehind(ILogger logger, byte node, int count);

    [LoggerMessage(23, LogLevel.Warning, "Node {Node} closes its store without knowing whether its peers have all that it wrote.")]
    public static partial void FinalReplicationFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(24, LogLevel.Error, "Node {Node} knows the same transactions as nodes {Peers} and shows something else; all that they show is merged.")]
    public static partial void Differs(ILogger logger, byte node, string peers);

    [LoggerMessage(26, LogLevel.Error, "Node {Node}: the {Storage} is damaged: {Record} is not what was written there. It is being mended.")]
    public static partial void Damaged(ILogger logger, byte node, string storage, string record);

    [LoggerMessage(27, LogLevel.Information, "Node {Node} has mended {Record}.")]
    public static partial void Mended(ILogger logger, byte node, string record);

    [LoggerMessage(28, LogLevel.Error, "Node {Node} has mended {Record} with what the other members have, which is all that is left: what the transactions {Stamps} wrote there is lost.")]
    public static partial void MendedWithLoss(ILogger logger, byte node, string record, string stamps);

    [LoggerMessage(29, LogLevel.Error, "Node {Node} could not mend its damaged records, and will try again.")]
    public static partial void MendingFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(30, LogLevel.Error, "Node {Node} holds back a reconcile with node {Peer}, which would remove {Count} documents, until a second member says the same or AllowRemovalAsync is called.")]
    public static partial void RemovalHeld(ILogger logger, byte node, byte peer, int count);

    [LoggerMessage(31, LogLevel.Information, "Node {Node} no longer holds back a reconcile.")]
    public static partial void RemovalNotHeld(ILogger logger, byte node);

    [LoggerMessage(32, LogLevel.Debug, "Node {Node} has read all {Count} records of the {Storage} for checking.")]
    public static partial void Scrubbed(ILogger logger, byte node, string storage, long count);

    [LoggerMessage(34, LogLevel.Warning, "Node {Node} has compared {Count} documents of the {Storage} with its own, and written {Written}; {Left} more have something that this store lacks.")]
    public static partial void Salvaged(ILogger logger, byte node, string storage, long count, long written, long left);

    [LoggerMessage(33, LogLevel.Error, "Node {Node} could not read all that it has stored for checking, and will try again.")]
    public static partial void ScrubFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(25, LogLevel.Information, "Node {Node} shows the same documents again as all peers that know the same transactions.")]
    public static partial void DiffersNoLonger(ILogger logger, byte node);

    [LoggerMessage(35, LogLevel.Warning, "Node {Member} is retired at node {Node}, {How}. Its store is never admitted again.")]
    public static partial void Retired(ILogger logger, byte member, byte node, string how);
}
