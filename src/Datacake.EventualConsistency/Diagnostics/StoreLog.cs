using Datacake.Crdt;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Diagnostics;

/// <summary>The log messages of a store.</summary>
static partial class StoreLog
{
    [LoggerMessage(3001, LogLevel.Information, "Node {Node} opened its store in the {Storage}; the store is {State}.")]
    public static partial void Opened(ILogger logger, byte node, string storage, string state);

    [LoggerMessage(3054, LogLevel.Warning,
        "Node {Node} has data of the store '{Store}', and is no longer configured to open it. It still counts as a member there. Configure it with WithStore or WithStores; or give its data up: CloseStoreAsync for good, and retire the node at another holder.")]
    public static partial void NamedStoreNotConfigured(ILogger logger, byte node, string store);

    [LoggerMessage(3002, LogLevel.Information, "Node {Node} joined the cluster of {Members} members; its first stamp is {Run}.")]
    public static partial void Joined(ILogger logger, byte node, int members, HlcTimestamp run);

    [LoggerMessage(3003, LogLevel.Error, "The {Storage} refused a commit; {Count} pending changes failed.")]
    public static partial void CommitFailed(ILogger logger, Exception exception, string storage, int count);

    [LoggerMessage(3037, LogLevel.Error, "{Count} pending changes of the {Storage} failed because of an unexpected error.")]
    public static partial void BatchFailed(ILogger logger, Exception exception, string storage, int count);

    [LoggerMessage(3036, LogLevel.Information, "The {Storage} has free space again.")]
    public static partial void HasRoom(ILogger logger, string storage);

    [LoggerMessage(3004, LogLevel.Debug, "The session with node {Peer} at {Address} is open.")]
    public static partial void SessionOpened(ILogger logger, byte peer, string address);

    [LoggerMessage(3019, LogLevel.Information, "The session with node {Peer} at {Address} is open after {Count} failed attempts.")]
    public static partial void SessionReopened(ILogger logger, byte peer, string address, int count);

    [LoggerMessage(3005, LogLevel.Information, "The session with node {Peer} at {Address} ended: {Reason}.")]
    public static partial void SessionEnded(ILogger logger, byte peer, string address, string reason);

    [LoggerMessage(3006, LogLevel.Warning, "A stream from {Host} was refused: {Reason}.")]
    public static partial void StreamRefused(ILogger logger, string host, string reason);

    [LoggerMessage(3007, LogLevel.Error, "Replication with node {Peer} at {Address} is not possible: {Reason}.")]
    public static partial void SessionRefused(ILogger logger, Exception? exception, byte peer, string address, string reason);

    [LoggerMessage(3020, LogLevel.Warning, "The session with node {Peer} at {Address} could not be opened; will retry: {Reason}.")]
    public static partial void NoSession(ILogger logger, byte peer, string address, string reason);

    [LoggerMessage(3021, LogLevel.Warning, "There is still no session with node {Peer} at {Address} after {Count} attempts: {Reason}.")]
    public static partial void StillNoSession(ILogger logger, byte peer, string address, int count, string reason);

    [LoggerMessage(3008, LogLevel.Warning, "Node {Peer} receives too slowly to keep up with writes; it will fetch the dropped changes later.")]
    public static partial void PeerLags(ILogger logger, byte peer);

    [LoggerMessage(3038, LogLevel.Warning, "Node {Peer} of a later version sends messages of the kind {Kind}, which this version of the library does not know; they are ignored.")]
    public static partial void UnknownKind(ILogger logger, byte peer, byte kind);

    [LoggerMessage(3009, LogLevel.Warning, "Node {Node} has not joined its cluster after {Seconds:0} s: {Reason}")]
    public static partial void NotJoined(ILogger logger, byte node, double seconds, string reason);

    [LoggerMessage(3018, LogLevel.Information, "Node {Node} is joining and has received {Count} of about {Estimated} documents, the latest from node {Source}.")]
    public static partial void Joining(ILogger logger, byte node, long count, long estimated, int source);

    [LoggerMessage(3010, LogLevel.Error, "The periodic work of node {Node} (reports, purging, indexes) failed; will retry.")]
    public static partial void TickFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(3011, LogLevel.Error, "The session with a peer at {Host} failed; a new one will be opened.")]
    public static partial void SessionFailed(ILogger logger, Exception exception, string host);

    [LoggerMessage(3012, LogLevel.Error, "Sending node {Peer} the data that it lacks failed; it will ask again.")]
    public static partial void AnswerFailed(ILogger logger, Exception exception, byte peer);

    [LoggerMessage(3013, LogLevel.Error, "A {Message} from node {Peer} could not be processed and was dropped; its content will be fetched again.")]
    public static partial void MessageDropped(ILogger logger, Exception exception, string message, byte peer);

    [LoggerMessage(3014, LogLevel.Error, "A commit succeeded, but a notification of it failed; peers will fetch the changes.")]
    public static partial void CommitNotTold(ILogger logger, Exception exception);

    [LoggerMessage(3015, LogLevel.Information, "Building the index {Index} of the keyspace {Keyspace} from about {Count} documents; queries read all documents until it is complete.")]
    public static partial void IndexFilling(ILogger logger, string index, string keyspace, long count);

    [LoggerMessage(3016, LogLevel.Information, "The index {Index} of the keyspace {Keyspace} was built from {Count} documents.")]
    public static partial void IndexBuilt(ILogger logger, string index, string keyspace, long count);

    [LoggerMessage(3022, LogLevel.Warning, "Node {Node} is closing its store, and {Count} of its transactions may be on no other member; they will replicate when the node runs again.")]
    public static partial void LeftBehind(ILogger logger, byte node, int count);

    [LoggerMessage(3023, LogLevel.Warning, "Node {Node} is closing its store without knowing whether its peers have everything that it wrote.")]
    public static partial void FinalReplicationFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(3024, LogLevel.Error, "Node {Node} knows the same transactions as nodes {Peers} but shows something else; the data will be merged.")]
    public static partial void Differs(ILogger logger, byte node, string peers);

    [LoggerMessage(3026, LogLevel.Error, "In the {Storage} of node {Node}, {Record} is damaged and is being repaired.")]
    public static partial void Damaged(ILogger logger, byte node, string storage, string record);

    [LoggerMessage(3027, LogLevel.Information, "Node {Node} has repaired {Record}.")]
    public static partial void Repaired(ILogger logger, byte node, string record);

    [LoggerMessage(3028, LogLevel.Error, "Node {Node} has repaired {Record} from the other members, which lack what the transactions {Stamps} wrote there; these writes are lost.")]
    public static partial void RepairedWithLoss(ILogger logger, byte node, string record, string stamps);

    [LoggerMessage(3029, LogLevel.Error, "Node {Node} could not repair its damaged records; will retry.")]
    public static partial void RepairFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(3030, LogLevel.Error, "Node {Node} is holding back a reconcile with node {Peer}, which would remove {Count} documents, until a second member confirms it or an operator allows it (datacake allow-removal, or AllowRemovalAsync).")]
    public static partial void RemovalHeld(ILogger logger, byte node, byte peer, int count);

    [LoggerMessage(3031, LogLevel.Information, "Node {Node} is no longer holding back a reconcile.")]
    public static partial void RemovalNotHeld(ILogger logger, byte node);

    [LoggerMessage(3032, LogLevel.Debug, "Node {Node} has checked all {Count} records of the {Storage}.")]
    public static partial void Scrubbed(ILogger logger, byte node, string storage, long count);

    [LoggerMessage(3034, LogLevel.Warning, "Node {Node} has compared {Count} documents of the {Storage} with its own and written {Written}; {Left} more have data that this store lacks.")]
    public static partial void Salvaged(ILogger logger, byte node, string storage, long count, long written, long left);

    [LoggerMessage(3033, LogLevel.Error, "Node {Node} could not check all its stored records; will retry.")]
    public static partial void ScrubFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(3025, LogLevel.Information, "Node {Node} again shows the same documents as all peers that know the same transactions.")]
    public static partial void DiffersNoLonger(ILogger logger, byte node);

    [LoggerMessage(3035, LogLevel.Warning, "Node {Member} was retired at node {Node} {How}; its store is never admitted again.")]
    public static partial void Retired(ILogger logger, byte member, byte node, string how);

    [LoggerMessage(3039, LogLevel.Warning, "Node {Node} has begun the serial transactions anew, because an operator has said that a majority of the voters is lost for good; what only those had is lost.")]
    public static partial void SerialRecovered(ILogger logger, byte node);

    [LoggerMessage(3040, LogLevel.Error, "Node {Node} lets serial writes wait: {Reason}")]
    public static partial void UniqueIndexUnreadable(ILogger logger, byte node, string reason);

    [LoggerMessage(3041, LogLevel.Information, "Node {Node} can read all unique indexes again, and takes serial writes.")]
    public static partial void UniqueIndexesReadable(ILogger logger, byte node);

    [LoggerMessage(3042, LogLevel.Warning, "Node {Node} follows the serial transactions that {Founder} has begun anew, because {Reason}; what only the lost voters had is lost.")]
    public static partial void FollowsFounding(ILogger logger, byte node, string founder, string reason);

    [LoggerMessage(3043, LogLevel.Warning, "Node {Node} has begun the serial transactions anew, because {Reason}; what only the lost files had is lost.")]
    public static partial void Founded(ILogger logger, byte node, string reason);

    [LoggerMessage(3044, LogLevel.Error, "Node {Node} shows serial transactions whose predecessors are lost with the voters, so that documents may disagree that these transactions wrote together. Check them, or restore a backup of all nodes.")]
    public static partial void SerialRecoveredWithGap(ILogger logger, byte node);

    [LoggerMessage(3055, LogLevel.Warning, "Node {Node} could not read its changes for its followers; will retry.")]
    public static partial void FeedFailed(ILogger logger, Exception exception, byte node);

    [LoggerMessage(3056, LogLevel.Warning, "Node {Node} could not serve the follower at {Address}, which will retry.")]
    public static partial void FollowerFailed(ILogger logger, Exception exception, byte node, string address);

    [LoggerMessage(3057, LogLevel.Information, "The {Store} follows node {Source} at {Address}.")]
    public static partial void Follows(ILogger logger, string store, byte source, string address);

    [LoggerMessage(3058, LogLevel.Warning, "The {Store} follows no member at present, so its data is not updated; will retry: {Reason}.")]
    public static partial void FollowsNobody(ILogger logger, string store, string reason);

    [LoggerMessage(3059, LogLevel.Information, "The store of node {Node} was released: it is no longer a member of its cluster, and {Count} other members or more have everything that it had.")]
    public static partial void Released(ILogger logger, byte node, int count);

    [LoggerMessage(3060, LogLevel.Information, "Node {Node} has given up the store '{Store}', so that it is not opened, although a configuration names it. Open it with OpenStoreAsync and a configuration to hold it again.")]
    public static partial void NamedStoreGivenUp(ILogger logger, byte node, string store);

    [LoggerMessage(3050, LogLevel.Warning, "The lease '{Name}' with the fencing token {Token} was lost: {Reason}.")]
    public static partial void LeaseLost(ILogger logger, string name, long token, string reason);

    [LoggerMessage(3051, LogLevel.Debug, "The lease '{Name}' could not be renewed; will retry until it is lost.")]
    public static partial void LeaseNotRenewed(ILogger logger, Exception exception, string name);

    [LoggerMessage(3052, LogLevel.Warning, "The lease '{Name}' could not be released, and expires after its duration: {Reason}.")]
    public static partial void LeaseNotReleased(ILogger logger, Exception? exception, string name, string reason);

    [LoggerMessage(3053, LogLevel.Error, "A callback that was registered for the loss of the lease '{Name}' failed.")]
    public static partial void LeaseCallbackFailed(ILogger logger, Exception exception, string name);
}
