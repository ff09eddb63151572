using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The reasons for which a replica refuses sessions: other versions, clusters and nodes, clocks that differ, and stores that are retired,
/// strays or copies [R1, R5, R6]. Checking for a reason changes nothing.
/// </summary>
/// <remarks>See PROTOCOL.md: stray.</remarks>
/// <param name="settings">The settings of the replica.</param>
/// <param name="clock">The clock of the replica.</param>
/// <param name="identity">The identity of the replica's store.</param>
sealed class Admission(ReplicaSettings settings, HybridLogicalClock clock, ReplicaIdentity identity)
{
    // The run and the boot of each peer at the last session that opened with it. Two boots never have the same run, unless the store was
    // copied.
    readonly Dictionary<byte, (HlcTimestamp Run, ulong Boot)> _boots = [];

    byte Node => clock.Node;

    /// <summary>Records a hello that opened a session.</summary>
    public void OnOpened(Hello hello)
    {
        if (!hello.Run.IsNone)
            _boots[hello.Node] = (hello.Run, hello.Boot);
    }

    /// <summary>
    /// Returns the reason why the sender of a hello cannot be a peer of this replica, or null: it speaks another version, belongs to
    /// another cluster, means to reach another node, has a clock that differs too much, or has a retired store.
    /// </summary>
    public Refusal? ReasonAgainstPeer(Hello hello)
    {
        if (settings.Protocol.With(hello.Protocol) is null)
            return RefusalReasons.Version(Node, settings.Protocol, hello.Node, hello.Protocol);
        if (hello.ClusterId != settings.ClusterId)
            return RefusalReasons.OtherCluster(Node, settings.ClusterId, hello.Node, hello.ClusterId);
        if (hello.Cluster != 0 && identity.Cluster != 0 && hello.Cluster != identity.Cluster)
            return ReasonAgainstCluster(hello.Node, hello.Cluster);
        if (hello.Node == Node)
            return RefusalReasons.SameNode(Node);
        if (hello.To is { } to && to != Node)
            return RefusalReasons.OtherNode(Node, hello.Node, to);
        if (ReasonAgainstClock(hello.Node, hello.WallClock) is { } refusal)
            return refusal;
        if (!clock.Accepts(hello.Clock))
            return RefusalReasons.StampsLead(Node, hello.Node, hello.Clock);
        return identity.Retired.Contains(hello.StoreId) ? RefusalReasons.Retired(hello.Node, identity.Retired.ProofOf(hello.StoreId)) : null;
    }

    /// <summary>Returns the refusal of a peer whose cluster was formed separately from this node's cluster.</summary>
    public Refusal ReasonAgainstCluster(byte peer, ulong cluster) =>
        RefusalReasons.OtherCluster(Node, identity.Cluster, peer, cluster, settings.ClusterId);

    /// <summary>Returns the refusal of a peer whose wall clock differs too much from this node's, or null.</summary>
    public Refusal? ReasonAgainstClock(byte peer, DateTimeOffset wallClock)
    {
        var now = settings.Time.GetUtcNow();
        return (wallClock - now).Duration() <= settings.MaxClockDifference
            ? null
            : RefusalReasons.WallClocksDiffer(Node, now, peer, wallClock, settings.MaxClockDifference);
    }

    /// <summary>
    /// Returns the reason why the store of the sender of a hello does not count here, or this store does not count there, or null: it is a
    /// stray, is running twice, or is a copy.
    /// </summary>
    /// <param name="hello">The hello.</param>
    /// <param name="state">The state of this replica.</param>
    /// <param name="heard">The newest run that the member itself has reported.</param>
    /// <param name="isJoined">True if this store has joined.</param>
    /// <param name="sessions">The open sessions.</param>
    public Refusal? ReasonAgainstStore(
        Hello hello, ReplicaState state, HlcTimestamp heard, bool isJoined, IReadOnlyDictionary<byte, Session> sessions)
    {
        if (isJoined && IsStray(hello))
            return RefusalReasons.Stray(hello.Node);
        if (isJoined && IsStrayTo(hello))
            return RefusalReasons.OwnStoreIsStray(Node);
        if (sessions.TryGetValue(hello.Node, out var session) && session.StoreId != hello.StoreId)
            return RefusalReasons.TwoNodes(hello.Node);
        return hello.Run.IsNone ? null : ReasonAgainstRun(hello, state, heard);
    }

    /// <summary>
    /// Returns true if a store has begun a run at or below its own stamps that another store knows from an earlier run. The run may be the
    /// current one, or an earlier one in which the store has written.
    /// </summary>
    public static bool IsOldCopy(byte node, ReadOnlySpan<HlcTimestamp> ownRuns, VersionVector known, NodeRuns runs)
    {
        var (last, top) = (runs[node], known.OfNode(node).Top);
        foreach (var run in ownRuns)
        {
            if (last < run && run <= top)
                return true;
        }
        return false;
    }

    /// <summary>
    /// Returns the reason why the run of the sender of a hello does not count, or null if it does. Of one store, only the latest run
    /// counts, and a new run must be above all stamps of the store that anyone knows. If either is violated, the files of the store were
    /// copied: the copy was started beside the original, or took its place while the clock was behind [R5].
    /// </summary>
    Refusal? ReasonAgainstRun(Hello hello, ReplicaState state, HlcTimestamp heard)
    {
        // A run in which nothing was written may have been heard of, but no transaction of it is known. If the store were not told of such
        // a run, nobody would count what the store knows, and truncation would stop.
        bool isSameStore = Members.StoreOf(identity.Members, hello.Node) == hello.StoreId;
        var newest = HlcTimestamp.Max(state.Runs[hello.Node], isSameStore ? heard : HlcTimestamp.None);
        if (hello.Run < newest)
            return RefusalReasons.Superseded(hello.Node, newest);
        if (IsOldCopy(hello.Node, [.. hello.OwnRuns], state.Known, state.Runs))
            return RefusalReasons.OldCopy(hello.Node, HlcTimestamp.None);
        bool isRunOfOther = _boots.TryGetValue(hello.Node, out var last) && last.Run == hello.Run && last.Boot != hello.Boot;
        return isRunOfOther || IsOldCopy(hello.Node, [hello.Run], state.Known, state.Runs)
            ? RefusalReasons.OldCopy(hello.Node, HlcTimestamp.Max(hello.Run, state.Known.OfNode(hello.Node).Top))
            : null;
    }

    /// <summary>
    /// Returns true if a store is a stray: it joined with data of a retired store, and is not a member here. It may have data that was
    /// given up with the retired store, because it was not there to be asked for it [R14].
    /// </summary>
    /// <remarks>
    /// For this reason, a member takes no member table from stores that have not joined: those also talk to strays. A store is no longer a
    /// stray once a member that knows it has told it of the retirement; it then removes the retired store from its ancestors.
    /// </remarks>
    bool IsStray(Hello hello) => !hello.Run.IsNone && Members.StoreOf(identity.Members, hello.Node) != hello.StoreId
        && hello.Ancestors.Any(identity.Retired.Contains);

    /// <summary>Returns true if this store is a stray to the sender of a hello.</summary>
    bool IsStrayTo(Hello hello) => !hello.Run.IsNone && Members.StoreOf(hello.Table.Members, Node) != identity.StoreId
        && identity.Ancestors.Overlaps(hello.Table.Retired.Keys);
}
