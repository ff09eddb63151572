using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// Sessions, members, and what is told them [R6, R10].
sealed partial class Replica
{
    /// <summary>The peers with whom a session is open.</summary>
    public IReadOnlyDictionary<byte, Session> Sessions => _table.Open;

    /// <inheritdoc cref="SessionTable.Refusals"/>
    public IReadOnlyDictionary<byte, Refusal> Refusals => _table.Refusals;

    /// <summary>Makes a hello, to be sent to a peer at once.</summary>
    /// <param name="to">The peer that is dialed, or null where it is not known.</param>
    public Hello Hello(byte? to = null) => new(
        _settings.Protocol, to, _settings.ClusterId, Identity.Cluster, Node, _settings.DataCenter, Identity.StoreId, _settings.IsVolatile, _settings.TakesOver, Boot,
        _table.NextHello(),
        to is { } peer && Sessions.ContainsKey(peer), _hasJoined ? _run.Stamp : HlcTimestamp.None, _clock.Last, _settings.Time.GetUtcNow(), _state.Known, _state.Runs,
        [.. Identity.Runs], [.. Identity.Ancestors], MemberTable.Of(Identity));

    /// <summary>
    /// Returns why no session with the sender of a hello can be, or null if one can. To be called before <see cref="OpenSession"/>, in the same batch; nothing
    /// of a hello that is refused has any effect, but for what it says about this store itself.
    /// </summary>
    /// <param name="hello">What the peer says.</param>
    /// <param name="isDialer">True if this side has dialed.</param>
    /// <exception cref="InvalidDataException">No replica can have sent the hello.</exception>
    public Refusal? Refuse(Hello hello, bool isDialer)
    {
        Plausibility.Check(hello);
        hello = _proofs.WithoutUnproven(hello);
        // A store that is retired has nothing to say, and acknowledges nothing, also where somebody has not heard of it.
        var refusal = _admission.ReasonAgainstPeer(hello) ?? ExcludeIfRetired(hello) ?? (Exclusion is { Kind: RefusalKind.Retired } ? RefusalReasons.OwnStoreIsRetired(Node) : null)
            ?? _admission.ReasonAgainstStore(hello, _state, RunOf(hello.Node), IsJoined, Sessions)
            ?? (_members.IsTaken(hello, IsJoined) ? RefusalReasons.IdTaken(hello.Node, _proofs.AreNeeded) : null) ?? ExcludeIfCopied(hello);
        if (refusal is not null && hello.Node != Node && refusal.Kind != RefusalKind.OtherNode)
            _table.Note(hello.Node, refusal);
        return refusal ?? (_table.Admits(hello, isDialer) ? null : RefusalReasons.SessionStays());
    }

    /// <summary>Both sides call it with the other's hello; an earlier session with that node is over from here on.</summary>
    /// <returns>The session's id on this side.</returns>
    public long OpenSession(ReplicaBatch batch, Hello hello, bool isDialer)
    {
        _clock.Observe(hello.Clock);
        hello = _proofs.WithoutUnproven(hello);
        _members.RetireReplaced(hello);
        if (!IsJoined)
        {
            if (hello.Table.Retired.Count > 0 || (hello.Table.Members.TryGetValue(Node, out var me) && me.StoreId != Identity.StoreId))
                Identity.MayHaveEarlierLife = true;
            TakeOverCluster(hello.Cluster);
        }
        Learn(hello.Table, isOfMember: !hello.Run.IsNone);
        _puller.Forget(hello.Node);
        long session = _table.Add(hello, isDialer, _settings.Protocol.With(hello.Protocol)!.Value, hello.WallClock - _settings.Time.GetUtcNow());
        _members.Admit(hello);
        _admission.OnOpened(hello);
        if (!hello.Run.IsNone)
        {
            batch.Note(hello.Node, hello.Run);
            _lost.OnOpened(hello.Node);
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

    /// <inheritdoc cref="Members.Forget"/>
    public void Forget(byte node) => _members.Forget(node, Sessions.ContainsKey(node));

    /// <inheritdoc cref="RetirementProofs.Certain"/>
    public IEnumerable<ulong> CertainlyRetired => _proofs.Certain;

    /// <summary>Returns the cluster and the store for which the retirement of a member is to be proven.</summary>
    /// <exception cref="ArgumentException">It is this node, or no member.</exception>
    /// <exception cref="InvalidOperationException">This node has no operator keys, or has not met its cluster yet.</exception>
    public (ulong Cluster, ulong Store) OrderToRetire(byte node)
    {
        ThrowIfNothingCanBeProven();
        return (Identity.Cluster, _members.StoreToRetire(node));
    }

    /// <summary>Returns the cluster and the retired stores of which there is no proof that the keys confirm.</summary>
    /// <exception cref="InvalidOperationException">This node has no operator keys, or has not met its cluster yet.</exception>
    public (ulong Cluster, IReadOnlyList<ulong> Stores) OrderToSign()
    {
        ThrowIfNothingCanBeProven();
        return (Identity.Cluster, _proofs.Unproven);
    }

    /// <summary>Takes an operator's proofs of retirements that are known without.</summary>
    /// <exception cref="ArgumentException">One is not valid.</exception>
    public void Sign(IReadOnlyDictionary<ulong, ReadOnlyMemory<byte>> proofs)
    {
        foreach (var (store, proof) in proofs)
            ThrowIfInvalid(store, proof);
        foreach (var (store, proof) in proofs.Where(proof => Identity.Retired.Contains(proof.Key)))
            Identity.IsDirty |= Identity.Retired.Add(store, proof);
    }

    void ThrowIfNothingCanBeProven()
    {
        if (!_proofs.AreNeeded)
        {
            throw new InvalidOperationException(
                $"This node has no operator keys ({nameof(Datacake.Node.DatacakeNodeOptions.WithOperatorKeys)}), so that it cannot tell whether the key is right. Call RetireAsync without a key, or give all nodes the keys.");
        }
        if (Identity.Cluster == 0)
            throw new InvalidOperationException("The store has not met its cluster yet. Call this at a node that has joined.");
    }

    void ThrowIfInvalid(ulong store, ReadOnlyMemory<byte> proof)
    {
        if (_settings.Authority is { } authority && !authority.Proves(Identity.Cluster, store, proof))
        {
            throw new ArgumentException(
                $"The key is none of those that may retire members. Take a private key whose public key is among {nameof(Datacake.Node.DatacakeNodeOptions.WithOperatorKeys)} of this node.");
        }
    }

    /// <summary>Removes a member for good: its store is never admitted again.</summary>
    /// <param name="node">The member.</param>
    /// <param name="proof">An operator's proof for the store that the member has; empty for none.</param>
    /// <exception cref="ArgumentException">It is this node, or no member; or the proof is not valid.</exception>
    /// <exception cref="InvalidOperationException">A proof is needed, and there is none.</exception>
    public void Retire(byte node, ReadOnlyMemory<byte> proof = default)
    {
        ulong store = _members.StoreToRetire(node);
        if (_proofs.AreNeeded && proof.IsEmpty)
        {
            throw new InvalidOperationException(
                $"Node {node} cannot be retired without an operator's key, since this node has operator keys. Call RetireAsync with the private key.");
        }
        ThrowIfInvalid(store, proof);
        var retired = new Dictionary<ulong, ReadOnlyMemory<byte>> { [store] = proof };
        Learn(new MemberTable(new Dictionary<byte, StoreMember>(), new HashSet<byte>(), retired, RetiredDigest: 0), isOfMember: true);
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

    /// <inheritdoc cref="Members.HeardRunOf"/>
    public HlcTimestamp HeardRunOf(byte node) => _members.HeardRunOf(node);

    /// <inheritdoc cref="Members.KnownOf"/>
    public VersionVector KnownOf(byte node) => _members.KnownOf(node);

    /// <summary>The fingerprint of what is known, or null while the batch changes that [R15].</summary>
    UInt128? FingerprintIn(ReplicaBatch batch) => IsJoined && !HasArrived && batch.State.Known.Equals(_state.Known) ? Catalog.Fingerprint : null;

    /// <summary>A store that has no cluster yet takes over the identity of the first one that it hears of. Returns false if that is another one.</summary>
    bool TakeOverCluster(ulong cluster)
    {
        if (cluster == 0 || cluster == Identity.Cluster)
            return true;
        if (Identity.Cluster != 0)
            return false;
        Identity.Cluster = cluster;
        _proofs.VerifyStored();
        return Identity.IsDirty = true;
    }

    /// <summary>Takes a member table; ends the sessions of members that are retired, and excludes this store if it is.</summary>
    void Learn(MemberTable table, bool isOfMember)
    {
        var retired = _members.Learn(table, isOfMember, IsJoined, Sessions);
        if (!IsJoined)
            DropRetiredSeed();
        foreach (byte node in retired)
            EndSession(node, RefusalReasons.Retired(node, Sessions.TryGetValue(node, out var session) ? Identity.Retired.ProofOf(session.StoreId) : default));
        // A member may have got another store by the table, which goes before the one that a session is with.
        foreach (var (peer, session) in Sessions.Where(session => Members.StoreOf(Identity.Members, session.Key) != session.Value.StoreId).ToArray())
            EndSession(peer, Identity.Retired.Contains(session.StoreId) ? RefusalReasons.Retired(peer, Identity.Retired.ProofOf(session.StoreId)) : RefusalReasons.IdTaken(peer, _proofs.AreNeeded));
        if (Identity.Retired.Contains(Identity.StoreId) && Exclusion is null)
            _run.Exclude(RefusalReasons.Retired(Node, Identity.Retired.ProofOf(Identity.StoreId)));
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
        _puller.Forget(peer);
        _lost.OnEnded(peer);
    }
}
