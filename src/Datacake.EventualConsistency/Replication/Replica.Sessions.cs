using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// Sessions, and what comes within them [R6].
sealed partial class Replica
{
    readonly SessionTable _table;
    readonly Admission _admission;
    readonly Members _members;

    /// <summary>The peers with whom a session is open.</summary>
    public IReadOnlyDictionary<byte, Session> Sessions => _table.Open;

    /// <inheritdoc cref="SessionTable.Refusals"/>
    public IReadOnlyDictionary<byte, Refusal> Refusals => _table.Refusals;

    /// <summary>Makes a hello, to be sent to a peer at once.</summary>
    /// <param name="to">The peer that is dialed, or null where it is not known.</param>
    public Hello Hello(byte? to = null) => new(
        _settings.Protocol, to, _settings.ClusterId, Identity.Cluster, Node, _settings.DataCenter, Identity.StoreId, Boot, _table.NextHello(),
        to is { } peer && Sessions.ContainsKey(peer), _hasJoined ? _run.Stamp : HlcTimestamp.None, _clock.Last, _settings.Time.GetUtcNow(), _state.Known, _state.Runs,
        [.. Identity.Runs], [.. Identity.Ancestors], MemberTable.Of(Identity));

    /// <summary>
    /// Returns why no session with the sender of a hello can be, or null if one can. To be called before <see cref="OpenSession"/>, in the same batch; nothing
    /// of a hello that is refused has any effect, but for what it says about this store itself.
    /// </summary>
    /// <param name="hello">What the peer says.</param>
    /// <param name="isDialer">True if this side has dialed.</param>
    public Refusal? Refuse(Hello hello, bool isDialer)
    {
        var refusal = _admission.ReasonAgainstPeer(hello) ?? ExcludeIfRetired(hello)
            ?? _admission.ReasonAgainstStore(hello, _state, IsJoined, Sessions) ?? ExcludeIfCopied(hello);
        if (refusal is not null && hello.Node != Node && refusal.Kind != RefusalKind.OtherNode)
            _table.Note(hello.Node, refusal);
        return refusal ?? (_table.Admits(hello, isDialer) ? null : RefusalReasons.SessionStays());
    }

    /// <summary>Both sides call it with the other's hello; an earlier session with that node is over from here on.</summary>
    /// <returns>The session's id on this side.</returns>
    public long OpenSession(ReplicaBatch batch, Hello hello, bool isDialer)
    {
        _clock.Observe(hello.Clock);
        _members.RetireReplaced(hello);
        if (!IsJoined)
        {
            if (hello.Table.Retired.Count > 0 || (hello.Table.Members.TryGetValue(Node, out var me) && me.StoreId != Identity.StoreId))
                Identity.MayHaveEarlierLife = true;
            TakeOverCluster(hello.Cluster);
        }
        Learn(hello.Table, isOfMember: !hello.Run.IsNone);
        ForgetSession(hello.Node);
        long session = _table.Add(hello, isDialer, _settings.Protocol.With(hello.Protocol)!.Value, hello.WallClock - _settings.Time.GetUtcNow());
        _members.Admit(hello);
        _admission.OnOpened(hello);
        if (!hello.Run.IsNone)
            batch.Note(hello.Node, hello.Run);
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

    /// <inheritdoc cref="Members.Forget"/>
    public void Forget(byte node) => _members.Forget(node, Sessions.ContainsKey(node));

    /// <summary>Removes a member for good: its store is never admitted again.</summary>
    /// <exception cref="ArgumentException">It is this node, or no member.</exception>
    public void Retire(byte node)
    {
        ulong store = _members.StoreToRetire(node);
        Learn(new MemberTable(new Dictionary<byte, StoreMember>(), new HashSet<byte>(), new HashSet<ulong> { store }, RetiredDigest: 0), isOfMember: true);
        Identity.Ancestors.Remove(store);
    }

    /// <summary>Makes a report of what this replica knows and has heard of all members.</summary>
    /// <param name="batch">The batch whose changes it is to include.</param>
    /// <param name="nonce">The roll call that it answers, or 0.</param>
    public Report Report(ReplicaBatch batch, ulong nonce = 0)
    {
        var peers = new Dictionary<byte, PeerKnowledge>(_members.Heard);
        if (IsJoined)
            peers[Node] = new PeerKnowledge(_run.Stamp, batch.State.Known);
        // Who calls the roll has to hear of all [R12]; otherwise those that everybody in session has need not be named.
        bool withRetired = nonce != 0 || Sessions.Values.Any(session => session.RetiredDigest != Identity.Retired.Digest);
        return new Report(
            nonce, Identity.Cluster, _clock.Last, _settings.Time.GetUtcNow(), FingerprintIn(batch), peers, Sessions.ToDictionary(session => session.Key, session => session.Value.Boot),
            MemberTable.Of(Identity, withRetired));
    }

    /// <summary>True if a peer has reported in its session within the last ticks, so that it runs.</summary>
    public bool IsHeard(byte peer)
    {
        const int MaxSilentTicks = 3;
        return Sessions.TryGetValue(peer, out var session) && session.ReportTick is { } tick && _ticks - tick <= MaxSilentTicks;
    }

    /// <inheritdoc cref="Members.Stable"/>
    public VersionVector Stable(ReplicaState state) => _members.Stable(state.Known);

    /// <inheritdoc cref="Members.HasRun"/>
    public bool HasRun(byte node) => _members.HasRun(node);

    /// <inheritdoc cref="Members.RunOf"/>
    public HlcTimestamp RunOf(byte node) => _members.RunOf(node);

    /// <inheritdoc cref="Members.KnownOf"/>
    public VersionVector KnownOf(byte node) => _members.KnownOf(node);

    /// <exception cref="ClockDriftException">The peer's clock is too far ahead.</exception>
    void OnReport(ReplicaBatch batch, byte peer, Report report)
    {
        if (_admission.ReasonAgainstClock(peer, report.WallClock) is { } refusal)
        {
            // A clock has leapt during the session: from here on its stamps would lead those of all others.
            EndSession(peer, refusal);
            return;
        }
        if (!TakeOverCluster(report.Cluster))
        {
            EndSession(peer, _admission.ReasonAgainstCluster(peer, report.Cluster));
            return;
        }
        _clock.Observe(report.Clock);
        var run = report.Peers.TryGetValue(peer, out var own) ? own.Run : HlcTimestamp.None;
        _table.Update(peer, run, report.WallClock - _settings.Time.GetUtcNow(), report.Table.RetiredDigest, _ticks);
        Learn(report.Table, isOfMember: report.Peers.ContainsKey(peer));
        _members.Hear(peer, report, Sessions);
        if (!run.IsNone && Identity.Members.ContainsKey(peer))
        {
            batch.Note(peer, run);
            _members.OnJoined(peer);
        }
        if (report.Fingerprint is { } theirs && FingerprintIn(batch) is { } mine && own.Known is { } known && known.Equals(_state.Known))
            _comparison.Compare(peer, theirs, mine);
        if (_roll is { } roll && roll.Take(peer, report))
            FinishRoll(batch);
    }

    /// <summary>The fingerprint of what is known, or null while the batch changes that [R15].</summary>
    UInt128? FingerprintIn(ReplicaBatch batch) => IsJoined && !HasArrived && batch.State.Known.Equals(_state.Known) ? Catalog.Fingerprint : null;

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

    /// <summary>Takes a member table; ends the sessions of members that are retired, and excludes this store if it is.</summary>
    void Learn(MemberTable table, bool isOfMember)
    {
        var retired = _members.Learn(table, isOfMember, IsJoined);
        if (!IsJoined)
            DropRetiredSeed();
        foreach (byte node in retired)
            EndSession(node, RefusalReasons.Retired(node));
        if (Identity.Retired.Contains(Identity.StoreId) && Exclusion is null)
            _run.Exclude(RefusalReasons.Retired(Node));
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
    }
}
