using System.Collections.ObjectModel;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// Sessions, members, and what is heard of them [R6, R10].
sealed partial class Replica
{
    readonly Dictionary<byte, Session> _sessions = [];
    readonly List<EndedSession> _ended = [];
    readonly Dictionary<byte, Refusal> _refusals = [];

    // What is heard of each other member: of the life of its disk that the member table names. One that has not joined yet has no run, is not in
    // here, and so counts as knowing nothing, which pauses truncation.
    readonly Dictionary<byte, PeerKnowledge> _peers = [];
    long _lastSession;

    /// <summary>The peers with whom a session is open.</summary>
    public IReadOnlyDictionary<byte, Session> Sessions => _sessions;

    public Hello Hello() => new(
        Messages.Hello.CurrentVersion, _settings.ClusterId, Node, _settings.DataCenter, Identity.StoreId, Boot, _hasJoined ? _run : HlcTimestamp.None, _clock.Last, _state.Known,
        [.. Identity.Ancestors], MemberTable.Of(Identity));

    /// <summary>Why no session with the sender of a hello can be; <see langword="null"/> if one can.</summary>
    /// <param name="hello">What the peer says.</param>
    /// <param name="isDialer">True if this side has dialed.</param>
    public Refusal? Refuse(Hello hello, bool isDialer)
    {
        if (hello.ClusterId != _settings.ClusterId)
            return new(RefusalKind.OtherCluster, $"node {Node} belongs to the cluster '{_settings.ClusterId}', node {hello.Node} to '{hello.ClusterId}'");
        if (hello.Node == Node)
            return new(RefusalKind.SameNode, $"both nodes have the id {Node}; every node of a cluster needs its own");
        if (Identity.Retired.Contains(hello.StoreId))
            return new(RefusalKind.Retired, $"the store of node {hello.Node} was replaced by another or retired; remove its files and start it afresh");
        if (hello.Table.Retired.Contains(Identity.StoreId))
            return new(RefusalKind.Other, $"the store of node {Node} was replaced by another or retired; remove its files and start it afresh");
        if (IsStray(hello))
            return new(RefusalKind.Other, $"node {hello.Node} joined over a store that was retired, and that had not heard of it; remove its files and start it afresh");
        if (IsStrayTo(hello))
            return new(RefusalKind.Other, $"node {Node} joined over a store that was retired, and that had not heard of it; remove its files and start it afresh");
        if (_sessions.TryGetValue(hello.Node, out var session) && session.StoreId != hello.StoreId)
            return new(RefusalKind.SameNode, $"two nodes with the id {hello.Node} are running; every node of a cluster needs its own");
        return null;
    }

    /// <summary>
    /// Whether a store has joined over one that is retired, and is not a member here: it may have what was given up with that one, for it was not
    /// there to be asked for it [R14].
    /// </summary>
    /// <remarks>
    /// That is why a member takes no names from stores that have not joined: they talk to strays, too. Once a member that knows the store tells it who
    /// is retired, it is no stray, and no longer names that one among its ancestors.
    /// </remarks>
    bool IsStray(Hello hello) => IsJoined && !hello.Run.IsNone && StoreOf(Identity.Members, hello.Node) != hello.StoreId
        && hello.Ancestors.Any(Identity.Retired.Contains);

    /// <summary>Whether this store is a stray to the sender of a hello.</summary>
    bool IsStrayTo(Hello hello) => IsJoined && !hello.Run.IsNone && StoreOf(hello.Table.Members, Node) != Identity.StoreId
        && Identity.Ancestors.Overlaps(hello.Table.Retired);

    /// <summary>Takes note of a peer that refuses the session, or has ended it.</summary>
    public void OnRefused(byte peer, Refusal refusal)
    {
        if (!refusal.IsQuiet)
            _refusals[peer] = refusal;
    }

    /// <summary>Why there is no session, of the peers that refuse one or that this replica refuses. A session that opens takes it away.</summary>
    public IReadOnlyDictionary<byte, Refusal> Refusals => _refusals;

    /// <summary>Both sides call it with the other's hello; an earlier session with that node is over from here on.</summary>
    /// <returns>The session's id on this side.</returns>
    /// <exception cref="ClockDriftException">The peer's clock is too far ahead.</exception>
    public long OpenSession(Hello hello, bool isDialer)
    {
        _clock.Observe(hello.Clock);
        var members = Identity.Members;
        if (members.TryGetValue(hello.Node, out var knownAs) && knownAs.StoreId != hello.StoreId)
        {
            Identity.Retired.Add(knownAs.StoreId);                              // the disk was replaced
            Identity.Ancestors.Remove(knownAs.StoreId);
            _peers.Remove(hello.Node);
        }
        if (!IsJoined && (hello.Table.Retired.Count > 0
            || (hello.Table.Members.TryGetValue(Node, out var me) && me.StoreId != Identity.StoreId)))
            Identity.MayHaveEarlierLife = true;
        LearnMembers(hello.Table, isOfMember: !hello.Run.IsNone);
        EndSession(hello.Node, new Refusal(RefusalKind.InSession, "another session of the two replaces this one"));
        members[hello.Node] = new StoreMember(hello.StoreId, hello.DataCenter);
        Identity.Forgotten.Remove(hello.Node);
        Identity.IsDirty = true;
        if (!hello.Run.IsNone)
            Hear(hello.Node, new PeerKnowledge(hello.Run, hello.Known));
        _refusals.Remove(hello.Node);
        _sessions[hello.Node] = new Session(++_lastSession, hello.Boot, hello.StoreId, hello.Ancestors);
        return _lastSession;
    }

    /// <summary>The session is over, if it still is the one.</summary>
    public void CloseSession(byte peer, long session)
    {
        if (IsOpen(peer, session))
            DropSession(peer);
    }

    /// <summary>
    /// Takes the sessions that the replica has ended since the last call. Their streams are to be closed whether or not the batch in which they ended
    /// could be committed, for they are over in memory.
    /// </summary>
    public IReadOnlyList<EndedSession> TakeEnded()
    {
        if (_ended.Count == 0)
            return [];
        EndedSession[] ended = [.. _ended];
        _ended.Clear();
        return ended;
    }

    public bool IsOpen(byte peer, long session) => _sessions.TryGetValue(peer, out var open) && open.Id == session;

    /// <summary>Takes a message that came within a session; one of a session that is over is ignored.</summary>
    /// <returns>The peer's transactions that the batch has, to be acknowledged once it is committed.</returns>
    /// <exception cref="InvalidDataException">The message is not one that the peer can have sent.</exception>
    /// <exception cref="ClockDriftException">It has a stamp that is too far ahead.</exception>
    public async ValueTask<IReadOnlyList<StampInterval>> ReceiveAsync(
        ReplicaBatch batch, byte peer, long session, ReplicaMessage message, CancellationToken cancellationToken)
    {
        if (!IsOpen(peer, session))
            return [];
        switch (message)
        {
            case Mutations mutations:
                return await OnMutationsAsync(batch, peer, mutations).ConfigureAwait(false);
            case Report report:
                OnReport(batch, peer, report);
                break;
            case RollCall call:
                OnRollCall(batch, peer, call);
                break;
            case Chunk chunk:
                await OnChunkAsync(batch, peer, chunk).ConfigureAwait(false);
                break;
            case SnapshotPage page:
                await OnSnapshotPageAsync(batch, peer, page, cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw new InvalidDataException($"A {message.GetType().Name} came within a session.");
        }
        return [];
    }

    /// <summary>This replica no longer waits for an absent member, until the next session with it.</summary>
    public void Forget(byte node)
    {
        if (!_sessions.ContainsKey(node) && Identity.Members.ContainsKey(node))
            Identity.IsDirty |= Identity.Forgotten.Add(node);
    }

    /// <summary>Removes a member for good: its store is never admitted again.</summary>
    public void Retire(byte node)
    {
        if (Identity.Members.TryGetValue(node, out var member))
        {
            var table = new MemberTable(new Dictionary<byte, StoreMember>(), new HashSet<byte>(), new HashSet<ulong> { member.StoreId });
            LearnMembers(table, isOfMember: true);
            Identity.Ancestors.Remove(member.StoreId);
        }
    }

    public Report Report(ReplicaBatch batch, ulong nonce = 0)
    {
        var peers = new Dictionary<byte, PeerKnowledge>(_peers);
        if (IsJoined)
            peers[Node] = new PeerKnowledge(_run, batch.State.Known);
        return new Report(nonce, _clock.Last, peers, _sessions.ToDictionary(session => session.Key, session => session.Value.Boot), MemberTable.Of(Identity));
    }

    /// <exception cref="ClockDriftException">The peer's clock is too far ahead.</exception>
    public void OnReport(ReplicaBatch batch, byte peer, Report report)
    {
        _clock.Observe(report.Clock);
        LearnMembers(report.Table, isOfMember: report.Peers.ContainsKey(peer));
        foreach (var (node, heard) in report.Peers)
        {
            // What others have heard of this replica must not come back as a report on itself, nor what an earlier life of a disk knew count for the
            // disk that has replaced it.
            if (node != Node && StoreOf(report.Table.Members, node) is var store && store == StoreOf(Identity.Members, node) && store is not null)
                Hear(node, heard);
        }
        if (_roll is { } roll && report.Nonce == roll.Nonce)
        {
            roll.Answers[peer] = report;
            FinishRoll(batch);
        }
    }

    /// <summary>
    /// Takes what is heard of a member, whoever tells it: a later run replaces an earlier one, whose tail may be lost; the same run adds [R10].
    /// </summary>
    void Hear(byte node, PeerKnowledge heard)
    {
        if (!_peers.TryGetValue(node, out var mine) || heard.Run > mine.Run)
            _peers[node] = heard;
        else if (heard.Run == mine.Run)
            _peers[node] = mine with { Known = mine.Known.Union(heard.Known) };
    }

    static ulong? StoreOf(IReadOnlyDictionary<byte, StoreMember> members, byte node) =>
        members.TryGetValue(node, out var member) ? member.StoreId : null;

    /// <summary>What every member that is waited for is known to have.</summary>
    public VersionVector Stable(ReplicaState state)
    {
        var stable = state.Known;
        foreach (byte node in Identity.Members.Keys)
        {
            if (node != Node && !Identity.Forgotten.Contains(node))
                stable = stable.Intersect(_peers.TryGetValue(node, out var peer) ? peer.Known : VersionVector.Empty);
        }
        return stable;
    }

    /// <summary>Whether a member is known to have joined.</summary>
    public bool HasRun(byte node) => _peers.ContainsKey(node);

    /// <summary>The last run of a member that was heard of, or none.</summary>
    public HlcTimestamp RunOf(byte node) => _peers.GetValueOrDefault(node).Run;

    /// <summary>What a member is known to have.</summary>
    public VersionVector KnownOf(byte node) => _peers.TryGetValue(node, out var peer) ? peer.Known : VersionVector.Empty;

    async ValueTask<IReadOnlyList<StampInterval>> OnMutationsAsync(ReplicaBatch batch, byte peer, Mutations mutations)
    {
        var applied = new List<StampInterval>();
        foreach (var mutation in mutations.Items)
        {
            if (!await OnMutationAsync(batch, peer, mutation).ConfigureAwait(false))
                continue;
            // Mutations that follow each other are acknowledged as one interval.
            if (applied.Count > 0 && applied[^1].High == mutation.Previous)
                applied[^1] = applied[^1] with { High = mutation.Stamp };
            else
                applied.Add(new StampInterval(mutation.Previous, mutation.Stamp));
        }
        return applied;
    }

    void LearnMembers(MemberTable table, bool isOfMember)
    {
        var mine = Identity.Members;
        foreach (ulong storeId in table.Retired)
            Identity.IsDirty |= Identity.Retired.Add(storeId);
        if (isOfMember && StoreOf(table.Members, Node) == Identity.StoreId && Identity.Ancestors.Overlaps(table.Retired))
        {
            Identity.Ancestors.ExceptWith(table.Retired);
            Identity.IsDirty = true;
        }
        if (!IsJoined)
            DropRetiredSeed();
        foreach (var (node, member) in isOfMember || !IsJoined ? table.Members : ReadOnlyDictionary<byte, StoreMember>.Empty)
        {
            bool isFree = !mine.TryGetValue(node, out var known) || Identity.Retired.Contains(known.StoreId);
            if (!isFree || Identity.Retired.Contains(member.StoreId))
                continue;
            mine[node] = member;
            _peers.Remove(node);
            Identity.IsDirty = true;
        }
        foreach (byte node in mine.Keys.Where(node => node != Node && Identity.Retired.Contains(mine[node].StoreId)).ToArray())
        {
            mine.Remove(node);
            _peers.Remove(node);
            EndSession(node, new Refusal(RefusalKind.Retired, $"the store of node {node} was replaced by another or retired"));
            Identity.IsDirty = true;
        }
    }

    /// <summary>Ends the session with a peer, if there is one, and has its stream closed.</summary>
    void EndSession(byte peer, Refusal refusal)
    {
        if (_sessions.TryGetValue(peer, out var session))
            _ended.Add(new EndedSession(peer, session.Id, refusal));
        DropSession(peer);
    }

    void DropSession(byte peer)
    {
        _sessions.Remove(peer);
        _pulls.Remove(peer);
        _missing.Remove(peer);
    }
}
