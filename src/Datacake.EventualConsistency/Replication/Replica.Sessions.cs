using System.Collections.ObjectModel;
using System.Globalization;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// Sessions, members, and what is heard of them [R6, R10].
sealed partial class Replica
{
    readonly SessionTable _table;

    // What is heard of each other member: of the life of its disk that the member table names. One that has not joined yet has no run, is not in
    // here, and so counts as knowing nothing, which pauses truncation.
    readonly Dictionary<byte, PeerKnowledge> _peers = [];

    // The last run of each peer that a session was opened with, and the life of its process that had it: no other life has the same run.
    readonly Dictionary<byte, (HlcTimestamp Run, ulong Boot)> _boots = [];

    int _follows;               // how often a later run of this store was followed

    // The tick at which each peer in session has last reported.
    readonly Dictionary<byte, long> _reportTicks = [];

    // The digest of the retired stores that each peer in session knows, by its last hello or report.
    readonly Dictionary<byte, ulong> _retiredDigests = [];

    /// <summary>The peers with whom a session is open.</summary>
    public IReadOnlyDictionary<byte, Session> Sessions => _table.Open;

    /// <inheritdoc cref="SessionTable.Refusals"/>
    public IReadOnlyDictionary<byte, Refusal> Refusals => _table.Refusals;

    /// <summary>Makes a hello, to be sent to a peer at once.</summary>
    /// <param name="to">The peer that is dialed, or null where it is not known.</param>
    public Hello Hello(byte? to = null) => new(
        _settings.Protocol, to, _settings.ClusterId, Identity.Cluster, Node, _settings.DataCenter, Identity.StoreId, Boot, _table.NextHello(),
        to is { } peer && Sessions.ContainsKey(peer), _hasJoined ? _run : HlcTimestamp.None, _clock.Last, _settings.Time.GetUtcNow(), _state.Known, _state.Runs,
        [.. Identity.Runs], [.. Identity.Ancestors], MemberTable.Of(Identity));

    /// <summary>
    /// Returns why no session with the sender of a hello can be, or null if one can. To be called before <see cref="OpenSession"/>, in the same batch; nothing
    /// of a hello that is refused has any effect, but for what it says about this store itself.
    /// </summary>
    /// <param name="hello">What the peer says.</param>
    /// <param name="isDialer">True if this side has dialed.</param>
    public Refusal? Refuse(Hello hello, bool isDialer)
    {
        var refusal = ReasonAgainst(hello);
        if (refusal is not null && hello.Node != Node && refusal.Kind != RefusalKind.OtherNode)
            _table.Note(hello.Node, refusal);
        if (refusal is null && !_table.Admits(hello, isDialer))
            refusal = new Refusal(RefusalKind.InSession, "a session between the two is open, and stays");
        return refusal;
    }

    Refusal? ReasonAgainst(Hello hello)
    {
        if (_settings.Protocol.With(hello.Protocol) is null)
        {
            return new(RefusalKind.Version,
                $"node {Node} speaks {_settings.Protocol} of the replication protocol, node {hello.Node} {hello.Protocol}; update the older one");
        }
        if (hello.ClusterId != _settings.ClusterId)
            return new(RefusalKind.OtherCluster, $"node {Node} belongs to the cluster '{_settings.ClusterId}', node {hello.Node} to '{hello.ClusterId}'");
        if (hello.Cluster != 0 && Identity.Cluster != 0 && hello.Cluster != Identity.Cluster)
            return OtherCluster(hello.Node, hello.Cluster);
        if (hello.Node == Node)
            return new(RefusalKind.SameNode, $"both nodes have the id {Node}; every node of a cluster needs its own");
        if (hello.To is { } to && to != Node)
            return new(RefusalKind.OtherNode, $"this is node {Node}, and node {hello.Node} means to talk to node {to}, whose address this was or seems to be");
        return ClocksDiffer(hello) ?? Retirement(hello) ?? RunAgainst(hello);
    }

    Refusal OtherCluster(byte peer, ulong cluster) => new(RefusalKind.OtherCluster,
        $"the stores of nodes {Node} and {peer} belong to two clusters that were formed apart, {Identity.Cluster:x16} and {cluster:x16}, though both are called "
            + $"'{_settings.ClusterId}'; correct the seeds, or remove the files of the one that is not wanted and start it afresh");

    /// <summary>A store that has no cluster yet takes over the identity of the first one that it hears of. Returns false if that is another one.</summary>
    bool TakeOverCluster(ulong cluster)
    {
        if (cluster == 0 || cluster == Identity.Cluster)
            return true;
        if (Identity.Cluster != 0)
            return false;
        Identity.Cluster = cluster;
        return Identity.IsDirty = true;
    }

    Refusal? ClocksDiffer(Hello hello)
    {
        if (ClocksDiffer(hello.Node, hello.WallClock) is { } refusal)
            return refusal;
        if (_clock.Accepts(hello.Clock))
            return null;
        return new(RefusalKind.ClocksDiffer, string.Create(CultureInfo.InvariantCulture,
            $"the stamps of node {hello.Node} lead the wall clock of node {Node} by more than {HybridLogicalClock.MaxLead.TotalDays:0} days, up to "
            + $"{hello.Clock.Time:u}; if the cluster's clocks were once that far ahead, have node {Node} accept such stamps"));
    }

    Refusal? ClocksDiffer(byte peer, DateTimeOffset wallClock)
    {
        var now = _settings.Time.GetUtcNow();
        if ((wallClock - now).Duration() <= _settings.MaxClockDifference)
            return null;
        return new(RefusalKind.ClocksDiffer, string.Create(CultureInfo.InvariantCulture,
            $"the wall clock of node {peer} shows {wallClock:u}, that of node {Node} {now:u}; they may differ by at most "
            + $"{_settings.MaxClockDifference.TotalSeconds:0} s; set the wrong one right"));
    }

    Refusal? Retirement(Hello hello)
    {
        if (Identity.Retired.Contains(hello.StoreId))
            return RetiredStore(hello.Node);
        if (hello.Table.Retired.Contains(Identity.StoreId))
        {
            Exclude(RetiredStore(Node));
            return new(RefusalKind.Other, $"the store of node {Node} itself was replaced by another or retired");
        }
        if (IsStray(hello))
            return new(RefusalKind.Stray, $"node {hello.Node} joined over a store that was retired, and that had not heard of it; remove its files and start it afresh");
        if (IsStrayTo(hello))
            return new(RefusalKind.Other, $"node {Node} itself joined over a store that was retired, and that had not heard of it; remove its files and start it afresh");
        if (Sessions.TryGetValue(hello.Node, out var session) && session.StoreId != hello.StoreId)
            return new(RefusalKind.SameNode, $"two nodes with the id {hello.Node} are running; every node of a cluster needs its own");
        return null;
    }

    static Refusal RetiredStore(byte node) => new(
        RefusalKind.Retired, $"the store of node {node} was replaced by another or retired; remove its files and start it afresh");

    /// <summary>
    /// Of one store only the latest run counts, and a new run is above all stamps of the store that anybody knows. Where either does not hold, its files
    /// were copied: the copy was started beside the original, or put in its place while the clock was behind [R5].
    /// </summary>
    Refusal? RunAgainst(Hello hello)
    {
        if (!hello.Run.IsNone)
        {
            if (hello.Run < _state.Runs[hello.Node])
                return Superseded(hello.Node, _state.Runs[hello.Node]);
            if (IsOldCopy(hello.Node, [.. hello.OwnRuns], _state.Known, _state.Runs))
                return OldCopy(hello.Node, HlcTimestamp.None);
            bool isRunOfOther = _boots.TryGetValue(hello.Node, out var last) && last.Run == hello.Run && last.Boot != hello.Boot;
            if (isRunOfOther || IsOldCopy(hello.Node, [hello.Run], _state.Known, _state.Runs))
                return OldCopy(hello.Node, HlcTimestamp.Max(hello.Run, _state.Known.OfNode(hello.Node).Top));
        }
        if (!IsJoined)
            return null;
        if (_run < hello.Runs[Node] && !TryFollow(hello.Runs[Node]))
        {
            Exclude(Superseded(Node, hello.Runs[Node]));
            return new(RefusalKind.Other, $"a later run of the store of node {Node} itself is known");
        }
        var top = hello.Known.OfNode(Node).Top;
        bool isAhead = !_state.Known.Covers(hello.Known.OfNode(Node).Between(_run, top));
        bool hasWritten = IsOldCopy(Node, [.. Identity.Runs], hello.Known, hello.Runs);
        if (hasWritten || ((isAhead || IsOldCopy(Node, [_run], hello.Known, hello.Runs)) && !TryStartAbove(top)))
        {
            Exclude(OldCopy(Node, HlcTimestamp.None));
            return new(RefusalKind.Other, $"the files of node {Node} itself are an old copy");
        }
        return null;
    }

    /// <summary>
    /// Returns true if a store has begun a run, the present one or an earlier one in which it has written, at or below stamps of its own that another store
    /// knows of a run before it.
    /// </summary>
    static bool IsOldCopy(byte node, ReadOnlySpan<HlcTimestamp> ownRuns, VersionVector known, NodeRuns runs)
    {
        var (last, top) = (runs[node], known.OfNode(node).Top);
        foreach (var run in ownRuns)
        {
            if (last < run && run <= top)
                return true;
        }
        return false;
    }

    static Refusal Superseded(byte node, HlcTimestamp run) => new(RefusalKind.Superseded,
        $"a later run of the store of node {node} is known, so that its files were copied; if a copy runs beside the original, stop one of the two; if an older "
            + "copy was put back, remove the files and start it afresh", run);

    /// <param name="node">The node whose store it is.</param>
    /// <param name="known">The stamps above which a run that has written nothing can be begun anew; none if it has written in a run, which cannot be undone.</param>
    static Refusal OldCopy(byte node, HlcTimestamp known) => new(RefusalKind.OldCopy,
        $"a run of node {node} is below stamps of its store that are known, so that its files are an old copy that was started with a clock that was behind; "
            + "set the clock right, remove the files and start it afresh", known);

    /// <summary>
    /// A run below a later one of the store is given up for one above it, if it has written nothing: some times in a life of the process, since two copies that
    /// both run would do so for ever.
    /// </summary>
    bool TryFollow(HlcTimestamp laterRun)
    {
        const int MaxFollows = 8;
        return _follows < MaxFollows && TryStartAbove(laterRun) && ++_follows > 0;
    }

    /// <summary>
    /// A run that has written nothing is given up for one above stamps that an earlier life has issued; all sessions begin anew with it. What has been
    /// written cannot be taken back: it stands under stamps that others know as something else.
    /// </summary>
    bool TryStartAbove(HlcTimestamp known)
    {
        if (!IsJoined || _previous != _run || !_clock.Accepts(known))
            return false;
        _clock.AdvanceTo(known);
        StartRun();
        Identity.IsDirty = true;
        if (Exclusion is { Kind: not RefusalKind.Retired })
            Exclusion = null;
        foreach (byte peer in Sessions.Keys.ToArray())
            EndSession(peer, new Refusal(RefusalKind.InSession, "this node has begun a new run"));
        return true;
    }

    /// <summary>
    /// Why the store is no part of its cluster any more, or null if it is: it was retired, or its files were copied. It takes no writes from then on, for
    /// they would reach nobody.
    /// </summary>
    public Refusal? Exclusion { get; private set; }

    void Exclude(Refusal reason)
    {
        Exclusion = reason;
        if (reason.Kind == RefusalKind.Retired)
            Identity.IsDirty |= Identity.Retired.Add(Identity.StoreId);
    }

    /// <summary>Takes note of a peer that refuses a session, or has ended it.</summary>
    public void OnRefused(byte peer, Refusal refusal)
    {
        _table.Note(peer, refusal);
        if (!IsJoined || (refusal is { Kind: RefusalKind.OldCopy, Stamp.IsNone: false } && TryStartAbove(refusal.Stamp))
            || (refusal is { Kind: RefusalKind.Superseded, Stamp.IsNone: false } && (refusal.Stamp < _run || TryFollow(refusal.Stamp))))
            return;
        // That another life of this node has opened a session is no proof: whoever dials again is told the run of it.
        bool isProven = refusal.Kind is RefusalKind.Retired or RefusalKind.OldCopy || refusal is { Kind: RefusalKind.Superseded, Stamp.IsNone: false };
        if (isProven)
            Exclude(refusal);
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

    /// <summary>Both sides call it with the other's hello; an earlier session with that node is over from here on.</summary>
    /// <returns>The session's id on this side.</returns>
    public long OpenSession(ReplicaBatch batch, Hello hello, bool isDialer)
    {
        _clock.Observe(hello.Clock);
        var members = Identity.Members;
        if (members.TryGetValue(hello.Node, out var knownAs) && knownAs.StoreId != hello.StoreId)
        {
            Identity.Retired.Add(knownAs.StoreId);                              // the disk was replaced
            Identity.Ancestors.Remove(knownAs.StoreId);
            _peers.Remove(hello.Node);
        }
        if (!IsJoined)
        {
            if (hello.Table.Retired.Count > 0 || (hello.Table.Members.TryGetValue(Node, out var me) && me.StoreId != Identity.StoreId))
                Identity.MayHaveEarlierLife = true;
            TakeOverCluster(hello.Cluster);
        }
        LearnMembers(hello.Table, isOfMember: !hello.Run.IsNone);
        ForgetSession(hello.Node);
        long session = _table.Add(hello, isDialer, _settings.Protocol.With(hello.Protocol)!.Value, hello.WallClock - _settings.Time.GetUtcNow());
        bool hadJoined = members.TryGetValue(hello.Node, out var before) && before.StoreId == hello.StoreId && before.HasJoined;
        members[hello.Node] = new StoreMember(hello.StoreId, hello.DataCenter, hadJoined || !hello.Run.IsNone);
        Identity.Forgotten.Remove(hello.Node);
        Identity.IsDirty = true;
        _retiredDigests[hello.Node] = hello.Table.RetiredDigest;
        if (!hello.Run.IsNone)
        {
            Hear(hello.Node, new PeerKnowledge(hello.Run, hello.Known), isOwnWord: true);
            batch.Note(hello.Node, hello.Run);
            _boots[hello.Node] = (hello.Run, hello.Boot);
        }
        return session;
    }

    /// <summary>The session is over, if it still is the one.</summary>
    public void CloseSession(byte peer, long session)
    {
        if (IsOpen(peer, session))
            DropSession(peer);
    }

    public bool IsOpen(byte peer, long session) => _table.IsOpen(peer, session);

    /// <inheritdoc cref="SessionTable.TakeEnded"/>
    public IReadOnlyList<EndedSession> TakeEnded() => _table.TakeEnded();

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
                batch.Outbox.Add(new Outgoing(peer, session, Report(batch, call.Nonce)));
                break;
            case Chunk chunk:
                await OnChunkAsync(batch, peer, chunk).ConfigureAwait(false);
                break;
            case SnapshotPage page:
                await OnSnapshotPageAsync(batch, peer, page, cancellationToken).ConfigureAwait(false);
                break;
            case PullDeclined declined:
                OnPullDeclined(peer, declined.Pull);
                break;
            default:
                throw new InvalidDataException($"A {message.GetType().Name} came within a session.");
        }
        return [];
    }

    /// <summary>This replica no longer waits for an absent member, until the next session with it.</summary>
    /// <exception cref="ArgumentException">It is this node, or no member.</exception>
    /// <exception cref="InvalidOperationException">It is not absent.</exception>
    public void Forget(byte node)
    {
        if (node == Node || !Identity.Members.ContainsKey(node))
        {
            throw new ArgumentException(
                $"Node {node} is {(node == Node ? "this node itself" : "not a member")}. The other members are "
                    + $"{string.Join(", ", Identity.Members.Keys.Where(member => member != Node))}.",
                nameof(node));
        }
        if (Sessions.ContainsKey(node))
            throw new InvalidOperationException($"Node {node} is not absent: a session with it is open. Forget it once it is down.");
        Identity.IsDirty |= Identity.Forgotten.Add(node);
    }

    /// <summary>Removes a member for good: its store is never admitted again.</summary>
    /// <exception cref="ArgumentException">It is this node, or no member.</exception>
    public void Retire(byte node)
    {
        if (node == Node)
            throw new ArgumentException($"Node {node} cannot retire itself. Stop it, and retire it by another node.", nameof(node));
        if (!Identity.Members.TryGetValue(node, out var member))
            throw new ArgumentException($"Node {node} is not a member. The members are {string.Join(", ", Identity.Members.Keys)}.", nameof(node));
        var retired = new HashSet<ulong> { member.StoreId };
        LearnMembers(new MemberTable(new Dictionary<byte, StoreMember>(), new HashSet<byte>(), retired, RetiredDigest: 0), isOfMember: true);
        Identity.Ancestors.Remove(member.StoreId);
    }

    public Report Report(ReplicaBatch batch, ulong nonce = 0)
    {
        var peers = new Dictionary<byte, PeerKnowledge>(_peers);
        if (IsJoined)
            peers[Node] = new PeerKnowledge(_run, batch.State.Known);
        // Who calls the roll has to hear of all [R12]; otherwise those that everybody in session has need not be named.
        bool withRetired = nonce != 0 || Sessions.Keys.Any(peer => _retiredDigests.GetValueOrDefault(peer) != Identity.Retired.Digest);
        return new Report(
            nonce, Identity.Cluster, _clock.Last, _settings.Time.GetUtcNow(), FingerprintIn(batch), peers, Sessions.ToDictionary(session => session.Key, session => session.Value.Boot),
            MemberTable.Of(Identity, withRetired));
    }

    /// <exception cref="ClockDriftException">The peer's clock is too far ahead.</exception>
    public void OnReport(ReplicaBatch batch, byte peer, Report report)
    {
        if (ClocksDiffer(peer, report.WallClock) is { } refusal)
        {
            // A clock has leapt during the session: from here on its stamps would lead those of all others.
            EndSession(peer, refusal);
            return;
        }
        if (!TakeOverCluster(report.Cluster))
        {
            EndSession(peer, OtherCluster(peer, report.Cluster));
            return;
        }
        _clock.Observe(report.Clock);
        _reportTicks[peer] = _ticks;
        _retiredDigests[peer] = report.Table.RetiredDigest;
        var run = report.Peers.TryGetValue(peer, out var own) ? own.Run : HlcTimestamp.None;
        _table.Update(peer, run, report.WallClock - _settings.Time.GetUtcNow());
        LearnMembers(report.Table, isOfMember: report.Peers.ContainsKey(peer));
        foreach (var (node, heard) in report.Peers)
        {
            // What others have heard of this replica must not come back as a report on itself, nor what an earlier life of a disk knew count for the
            // disk that has replaced it.
            if (node != Node && StoreOf(report.Table.Members, node) is var store && store == StoreOf(Identity.Members, node) && store is not null)
                Hear(node, heard, isOwnWord: node == peer);
        }
        if (Identity.Members.TryGetValue(peer, out var member) && !run.IsNone)
        {
            batch.Note(peer, run);
            if (!member.HasJoined)
            {
                Identity.Members[peer] = member with { HasJoined = true };
                Identity.IsDirty = true;
            }
        }
        if (report.Fingerprint is { } theirs && FingerprintIn(batch) is { } mine && own.Known is { } known && known.Equals(_state.Known))
            _comparison.Compare(peer, theirs, mine);
        if (_roll is { } roll && roll.Take(peer, report))
            FinishRoll(batch);
    }

    /// <summary>The fingerprint of what is known, or null while the batch changes that [R15].</summary>
    UInt128? FingerprintIn(ReplicaBatch batch) => IsJoined && !HasArrived && batch.State.Known.Equals(_state.Known) ? Catalog.Fingerprint : null;

    /// <summary>
    /// Takes what is heard of a member: a later run replaces an earlier one, whose tail may be lost; the same run adds [R10]. What a member says of itself
    /// counts more: while a session with it is open, others cannot tell of a later run, which may be that of a life whose files are gone.
    /// </summary>
    void Hear(byte node, PeerKnowledge heard, bool isOwnWord)
    {
        if (!_peers.TryGetValue(node, out var mine))
            _peers[node] = heard;
        else if (heard.Run == mine.Run)
            _peers[node] = mine with { Known = mine.Known.Union(heard.Known) };
        else if (isOwnWord || (heard.Run > mine.Run && !Sessions.ContainsKey(node)))
            _peers[node] = heard;
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
            if (!isFree && known.StoreId == member.StoreId && member.HasJoined && !known.HasJoined)
            {
                mine[node] = known with { HasJoined = true };
                Identity.IsDirty = true;
            }
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
            EndSession(node, RetiredStore(node));
            Identity.IsDirty = true;
        }
        if (Identity.Retired.Contains(Identity.StoreId) && Exclusion is null)
            Exclude(RetiredStore(Node));
    }

    /// <summary>Ends the session with a peer, if there is one, and has its stream closed.</summary>
    void EndSession(byte peer, Refusal refusal)
    {
        _table.End(peer, refusal);
        DropSession(peer);
    }

    void DropSession(byte peer)
    {
        _table.Remove(peer);
        ForgetSession(peer);
    }

    void ForgetSession(byte peer)
    {
        _pulls.Remove(peer);
        _missing.Remove(peer);
        _retiredDigests.Remove(peer);
        _reportTicks.Remove(peer);
    }

    /// <summary>True if a peer has reported in its session within the last ticks, so that it runs.</summary>
    public bool IsHeard(byte peer)
    {
        const int MaxSilentTicks = 3;
        return _reportTicks.TryGetValue(peer, out long tick) && _ticks - tick <= MaxSilentTicks;
    }
}
