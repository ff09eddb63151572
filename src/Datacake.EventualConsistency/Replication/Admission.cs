using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The reasons for which a replica refuses sessions: other versions, clusters and nodes, clocks that differ, and stores that are retired, strays or
/// copies [R1, R5, R6]. To look for a reason changes nothing.
/// </summary>
/// <param name="settings">The settings of the replica.</param>
/// <param name="clock">Its clock.</param>
/// <param name="identity">The identity of its store.</param>
sealed class Admission(ReplicaSettings settings, HybridLogicalClock clock, ReplicaIdentity identity)
{
    // The last run of each peer that a session was opened with, and the life of its process that had it: no other life has the same run.
    readonly Dictionary<byte, (HlcTimestamp Run, ulong Boot)> _boots = [];

    byte Node => clock.Node;

    /// <summary>Takes note of a hello with which a session has opened.</summary>
    public void OnOpened(Hello hello)
    {
        if (!hello.Run.IsNone)
            _boots[hello.Node] = (hello.Run, hello.Boot);
    }

    /// <summary>
    /// Returns why the sender of a hello is no peer of this replica, or null: it speaks another version, is of another cluster, looks for another node,
    /// its clock differs, or its store is retired.
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

    /// <summary>Returns the refusal of a peer whose cluster was formed apart from the own one.</summary>
    public Refusal ReasonAgainstCluster(byte peer, ulong cluster) =>
        RefusalReasons.OtherCluster(Node, identity.Cluster, peer, cluster, settings.ClusterId);

    /// <summary>Returns why the wall clock of a peer is too far from the own one, or null if it is not.</summary>
    public Refusal? ReasonAgainstClock(byte peer, DateTimeOffset wallClock)
    {
        var now = settings.Time.GetUtcNow();
        return (wallClock - now).Duration() <= settings.MaxClockDifference
            ? null
            : RefusalReasons.WallClocksDiffer(Node, now, peer, wallClock, settings.MaxClockDifference);
    }

    /// <summary>
    /// Returns why the store of the sender of a hello does not count here, or this one there, or null: it is a stray, runs twice, or is a copy.
    /// </summary>
    /// <param name="hello">The hello.</param>
    /// <param name="state">What this replica knows.</param>
    /// <param name="heard">The newest run of the member that was heard of.</param>
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
    /// Returns true if a store has begun a run, the present one or an earlier one in which it has written, at or below stamps of its own that another store
    /// knows of a run before it.
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
    /// Returns why the run of the sender of a hello does not count, or null if it does. Of one store only the latest run counts, and a new run is above all
    /// stamps of the store that anybody knows. Where either does not hold, its files were copied: the copy was started beside the original, or put in its
    /// place while the clock was behind [R5].
    /// </summary>
    Refusal? ReasonAgainstRun(Hello hello, ReplicaState state, HlcTimestamp heard)
    {
        // A run in which nothing was written is heard of only: unless the store is told, nobody would count what it knows, and nothing be truncated again.
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
    /// Returns true if a store has joined over one that is retired, and is not a member here: it may have what was given up with that one, for it was not
    /// there to be asked for it [R14].
    /// </summary>
    /// <remarks>
    /// That is why a member takes no names from stores that have not joined: they talk to strays, too. Once a member that knows the store tells it who
    /// is retired, it is no stray, and no longer names that one among its ancestors.
    /// </remarks>
    bool IsStray(Hello hello) => !hello.Run.IsNone && Members.StoreOf(identity.Members, hello.Node) != hello.StoreId
        && hello.Ancestors.Any(identity.Retired.Contains);

    /// <summary>Returns true if this store is a stray to the sender of a hello.</summary>
    bool IsStrayTo(Hello hello) => !hello.Run.IsNone && Members.StoreOf(hello.Table.Members, Node) != identity.StoreId
        && identity.Ancestors.Overlaps(hello.Table.Retired.Keys);
}
