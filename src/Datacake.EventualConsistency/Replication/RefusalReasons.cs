using System.Globalization;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The refusals that a replica gives its peers, with their texts: clauses that say what is wrong and what to do [R6].</summary>
static class RefusalReasons
{
    public static Refusal Version(byte node, ProtocolVersion mine, byte peer, ProtocolVersion theirs) => new(RefusalKind.Version,
        $"node {node} speaks {mine} of the replication protocol, node {peer} {theirs}; update the older one");

    public static Refusal OtherCluster(byte node, string mine, byte peer, string theirs) => new(RefusalKind.OtherCluster,
        $"node {node} belongs to the cluster '{mine}', node {peer} to '{theirs}'");

    public static Refusal OtherCluster(byte node, ulong mine, byte peer, ulong theirs, string name) => new(RefusalKind.OtherCluster,
        $"the stores of nodes {node} and {peer} belong to two clusters that were formed apart, {mine:x16} and {theirs:x16}, though both are called "
            + $"'{name}'; correct the seeds, or remove the files of the one that is not wanted and start it afresh");

    public static Refusal SameNode(byte node) => new(RefusalKind.SameNode, $"both nodes have the id {node}; every node of a cluster needs its own");

    public static Refusal TwoNodes(byte node) => new(RefusalKind.SameNode, $"two nodes with the id {node} are running; every node of a cluster needs its own");

    public static Refusal OtherNode(byte node, byte peer, byte dialed) => new(RefusalKind.OtherNode,
        $"this is node {node}, and node {peer} means to talk to node {dialed}, whose address this was or seems to be");

    public static Refusal StampsLead(byte node, byte peer, HlcTimestamp clock) => new(RefusalKind.ClocksDiffer, string.Create(CultureInfo.InvariantCulture,
        $"the stamps of node {peer} lead the wall clock of node {node} by more than {HybridLogicalClock.MaxLead.TotalDays:0} days, up to "
        + $"{clock.Time:u}; if the cluster's clocks were once that far ahead, have node {node} accept such stamps"));

    public static Refusal WallClocksDiffer(byte node, DateTimeOffset mine, byte peer, DateTimeOffset theirs, TimeSpan limit) => new(
        RefusalKind.ClocksDiffer, string.Create(CultureInfo.InvariantCulture,
            $"the wall clock of node {peer} shows {theirs:u}, that of node {node} {mine:u}; they may differ by at most "
            + $"{limit.TotalSeconds:0} s; set the wrong one right"));

    public static Refusal Retired(byte node, ReadOnlyMemory<byte> proof) => new(
        RefusalKind.Retired, $"the store of node {node} was replaced by another or retired; move its files away and start it afresh; if they have writes that no "
            + $"other node has, SalvageAsync brings these back", Proof: proof);

    /// <param name="node">The node whose id is taken.</param>
    /// <param name="needsProof">True if only an operator's key retires the store that has it.</param>
    public static Refusal IdTaken(byte node, bool needsProof)
    {
        string takeOver = needsProof
            ? $"retire the node first, with the operator's key (RetireAsync)"
            : $"set {nameof(ReplicatedStoreOptions)}.{nameof(ReplicatedStoreOptions.TakeOverNodeId)} for the first start with an empty disk, or retire the node first";
        return new(RefusalKind.IdTaken,
            $"the cluster knows node {node} with another store, which may have writes that no other node has; start node {node} with the files of that store or, if they "
                + $"are lost, {takeOver}; or give this node another id");
    }

    public static Refusal Stray(byte peer) => new(
        RefusalKind.Stray, $"node {peer} joined over a store that was retired, and that had not heard of it; remove its files and start it afresh");

    public static Refusal Superseded(byte node, HlcTimestamp run) => new(RefusalKind.Superseded,
        $"a later run of the store of node {node} is known, so that its files were copied; if a copy runs beside the original, stop one of the two; if an older "
            + $"copy was put back, move the files away and start it afresh with {nameof(ReplicatedStoreOptions.TakeOverNodeId)}; SalvageAsync brings back what only they have", run);

    /// <param name="node">The node whose store it is.</param>
    /// <param name="known">The stamps above which a run that has written nothing can be begun anew; none if it has written in a run, which cannot be undone.</param>
    public static Refusal OldCopy(byte node, HlcTimestamp known) => new(RefusalKind.OldCopy,
        $"a run of node {node} is below stamps of its store that are known, so that its files are an old copy that was started with a clock that was behind; "
            + $"set the clock right, move the files away and start it afresh with {nameof(ReplicatedStoreOptions.TakeOverNodeId)}; SalvageAsync brings back what only they have", known);

    // Of this replica itself: what is wrong is on this side.

    public static Refusal OwnStoreIsRetired(byte node) => new(RefusalKind.Other, $"the store of node {node} itself was replaced by another or retired");

    public static Refusal OwnStoreIsStray(byte node) => new(
        RefusalKind.Other, $"node {node} itself joined over a store that was retired, and that had not heard of it; remove its files and start it afresh");

    public static Refusal OwnRunIsSuperseded(byte node) => new(RefusalKind.Other, $"a later run of the store of node {node} itself is known");

    public static Refusal OwnFilesAreOldCopy(byte node) => new(RefusalKind.Other, $"the files of node {node} itself are an old copy");

    // Of the ordinary course of things.

    public static Refusal SessionStays() => new(RefusalKind.InSession, "a session between the two is open, and stays");

    public static Refusal NewRun() => new(RefusalKind.InSession, "this node has begun a new run");
}
