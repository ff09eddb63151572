using System.Globalization;
using Datacake.Crdt;
using Datacake.EventualConsistency.Options;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The refusals that a replica sends to its peers. Their texts are clauses that say what is wrong and what to do [R6].</summary>
static class RefusalReasons
{
    /// <summary>The advice on writes that only the files of a refused store have. No tool recovers them, but code does: operators need the developers for that.</summary>
    const string Salvage = "keep the files: the developers of the application can recover the writes with ReplicatedStore.SalvageAsync";

    public static Refusal Version(byte node, ProtocolVersion mine, byte peer, ProtocolVersion theirs) => new(RefusalKind.Version,
        $"node {node} speaks {mine} of the replication protocol, and node {peer} speaks {theirs}; update the older node");

    public static Refusal OtherCluster(byte node, string mine, byte peer, string theirs) => new(RefusalKind.OtherCluster,
        $"node {node} belongs to the cluster '{mine}', and node {peer} belongs to '{theirs}'; correct the seeds or the cluster id of one of them");

    public static Refusal OtherCluster(byte node, ulong mine, byte peer, ulong theirs, string name) => new(RefusalKind.OtherCluster,
        $"the stores of nodes {node} and {peer} belong to two clusters that were formed separately, {mine:x16} and {theirs:x16}, although both are named "
            + $"'{name}'; correct the seeds, or remove the files of the unwanted store and start its node with an empty store");

    public static Refusal SameNode(byte node) => new(RefusalKind.SameNode, $"both nodes have the id {node}; give each node of the cluster its own id");

    public static Refusal TwoNodes(byte node) => new(RefusalKind.SameNode, $"two nodes with the id {node} are running; give each node of the cluster its own id");

    public static Refusal OtherNode(byte node, byte peer, byte dialed) => new(RefusalKind.OtherNode,
        $"this is node {node}, but node {peer} means to reach node {dialed}, whose address may have changed");

    public static Refusal StampsLead(byte node, byte peer, HlcTimestamp clock) => new(RefusalKind.ClocksDiffer, string.Create(CultureInfo.InvariantCulture,
        $"the stamps of node {peer} lead the wall clock of node {node} by more than {HybridLogicalClock.MaxLead.TotalDays:0} days, up to "
        + $"{clock.Time:u}; if the clocks of the cluster were once that far ahead, on node {node}, set {SettingNames.Of(nameof(ReplicatedStoreOptions.AcceptStampsUpTo))}"));

    public static Refusal WallClocksDiffer(byte node, DateTimeOffset mine, byte peer, DateTimeOffset theirs, TimeSpan limit) => new(
        RefusalKind.ClocksDiffer, string.Create(CultureInfo.InvariantCulture,
            $"the wall clock of node {peer} shows {theirs:u}, and that of node {node} shows {mine:u}; they may differ by at most "
            + $"{limit.TotalSeconds:0} s; correct the wrong clock"));

    public static Refusal Retired(byte node, ReadOnlyMemory<byte> proof) => new(
        RefusalKind.Retired, $"the store of node {node} was retired or replaced by another store; move its files away and start the node with an empty store; if the files "
            + $"contain writes that no other node has, {Salvage}", Proof: proof);

    /// <param name="node">The node whose id is taken.</param>
    /// <param name="needsProof">True if the store that has the id can only be retired with an operator's key.</param>
    public static Refusal IdTaken(byte node, bool needsProof)
    {
        string takeOver = needsProof
            ? $"retire the node first, with the operator's key (RetireAsync)"
            : $"for the first start with an empty disk, set {SettingNames.Of(nameof(ReplicatedStoreOptions.TakeOverNodeId))}, or retire the node first";
        return new(RefusalKind.IdTaken,
            $"the cluster knows node {node} with another store, which may contain writes that no other node has; start node {node} with the files of that store or, if they "
                + $"are lost, {takeOver}; or give this node another id");
    }

    public static Refusal Stray(byte peer) => new(
        RefusalKind.Stray, $"node {peer} joined with data of a retired store that had not heard of its retirement; remove the files of node {peer} and start it with an empty store");

    public static Refusal Superseded(byte node, HlcTimestamp run) => new(RefusalKind.Superseded,
        $"a later run of the store of node {node} is known, so its files were copied; if a copy is running beside the original, stop one of them; if an older "
            + $"copy was put back, move the files away and start the node with an empty store and with TakeOverNodeId ({SettingNames.Of(nameof(ReplicatedStoreOptions.TakeOverNodeId))}); if only the files contain some writes, {Salvage}", run);

    /// <param name="node">The node whose store it is.</param>
    /// <param name="known">
    /// The greatest known stamp of the store, above which a run without writes can start anew; none if the store has written, which cannot
    /// be undone.
    /// </param>
    public static Refusal OldCopy(byte node, HlcTimestamp known) => new(RefusalKind.OldCopy,
        $"a run of node {node} is not above all known stamps of its store, so its files are an old copy that was started while its clock was behind; "
            + $"correct the clock, move the files away and start the node with an empty store and with TakeOverNodeId ({SettingNames.Of(nameof(ReplicatedStoreOptions.TakeOverNodeId))}); if only the files contain some writes, {Salvage}", known);

    // Refusals that concern this replica itself: the problem is on this side.

    public static Refusal OwnStoreIsRetired(byte node) => new(RefusalKind.SenderIsRetired, $"the store of node {node} itself was retired or replaced by another store");

    public static Refusal StaysAfterAll(byte node) => new(RefusalKind.Other, $"node {node} is not released after all, and begins another session");

    public static Refusal OwnStoreIsStray(byte node) => new(
        RefusalKind.SenderIsStray, $"node {node} itself joined with data of a retired store that had not heard of its retirement; remove the files of node {node} and start it with an empty store");

    public static Refusal OwnRunIsSuperseded(byte node) => new(RefusalKind.Other, $"a later run of the store of node {node} itself is known");

    public static Refusal OwnFilesAreOldCopy(byte node) => new(RefusalKind.Other, $"the files of node {node} itself are an old copy");

    // Routine refusals.

    public static Refusal SessionStays() => new(RefusalKind.InSession, "a session between the two nodes is already open");

    public static Refusal NewRun() => new(RefusalKind.InSession, "this node has begun a new run");
}
