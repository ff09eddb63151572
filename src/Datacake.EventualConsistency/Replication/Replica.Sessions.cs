using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

// Sessions and members [R6, R10].
sealed partial class Replica
{
    /// <summary>Gets the open sessions by the peers' node ids.</summary>
    public IReadOnlyDictionary<byte, Session> Sessions => _table.Open;

    /// <inheritdoc cref="SessionTable.Refusals"/>
    public IReadOnlyDictionary<byte, Refusal> Refusals => _table.Refusals;

    /// <summary>Creates a hello, which must be sent to a peer at once.</summary>
    /// <param name="to">The peer that is dialed, or null if it is not known.</param>
    public Hello Hello(byte? to = null) => new(
        _settings.Protocol, to, _settings.ClusterId, Identity.Cluster, Node, _settings.DataCenter, Identity.StoreId, _settings.IsVolatile, _settings.TakesOver, Boot,
        _table.NextHello(),
        to is { } peer && Sessions.ContainsKey(peer), _hasJoined ? _run.Stamp : HlcTimestamp.None, _clock.Last, _settings.Time.GetUtcNow(), _state.Known, _state.Runs,
        [.. Identity.Runs], [.. Identity.Ancestors], MemberTable.Of(Identity));

    /// <summary>
    /// Returns the reason why no session with the sender of a hello is possible, or null if one is. Must be called before
    /// <see cref="OpenSession"/>, in the same batch. A refused hello has no effect, except for what it reveals about this store itself.
    /// </summary>
    /// <param name="hello">The peer's hello.</param>
    /// <param name="isDialer">True if this side has dialed.</param>
    /// <exception cref="InvalidDataException">No correct replica can have sent the hello.</exception>
    public Refusal? Refuse(Hello hello, bool isDialer)
    {
        Plausibility.Check(hello);
        hello = _proofs.WithoutUnproven(hello);
        // A retired store must not replicate or acknowledge anything, even with peers that have not heard of the retirement.
        var refusal = _admission.ReasonAgainstPeer(hello) ?? ExcludeIfRetired(hello) ?? (Exclusion is { Kind: RefusalKind.Retired } ? RefusalReasons.OwnStoreIsRetired(Node) : null)
            ?? _admission.ReasonAgainstStore(hello, _state, RunOf(hello.Node), IsJoined, Sessions)
            ?? (_members.IsTaken(hello, IsJoined) ? RefusalReasons.IdTaken(hello.Node, _proofs.AreNeeded) : null) ?? ExcludeIfCopied(hello);
        if (refusal is not null && hello.Node != Node && refusal.Kind != RefusalKind.OtherNode)
            _table.Note(hello.Node, refusal);
        return refusal ?? (_table.Admits(hello, isDialer) ? null : RefusalReasons.SessionStays());
    }

    /// <summary>
    /// Opens a session, which replaces an earlier one with the same peer. Both sides call this with the hello of the other side.
    /// </summary>
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

    /// <summary>Ends a session, unless another session with the peer has already replaced it.</summary>
    public void CloseSession(byte peer, long session)
    {
        if (IsOpen(peer, session))
            DropSession(peer);
    }

    public bool IsOpen(byte peer, long session) => _table.IsOpen(peer, session);

    /// <inheritdoc cref="SessionTable.TakeEnded"/>
    public IReadOnlyList<EndedSession> TakeEnded(bool isCommitted = true) => _table.TakeEnded(isCommitted);

    /// <inheritdoc cref="Members.Forget"/>
    public void Forget(byte node) => _members.Forget(node, Sessions.ContainsKey(node));

    /// <inheritdoc cref="RetirementProofs.Certain"/>
    public IEnumerable<ulong> CertainlyRetired => _proofs.Certain;

    /// <summary>Returns the cluster and the store that a proof of a member's retirement has to name.</summary>
    /// <exception cref="ArgumentException">The node is this node, or is not a member.</exception>
    /// <exception cref="InvalidOperationException">This node has no operator keys, or has not met its cluster yet.</exception>
    public (ulong Cluster, ulong Store) OrderToRetire(byte node)
    {
        ThrowIfNothingCanBeProven();
        return (Identity.Cluster, _members.StoreToRetire(node));
    }

    /// <summary>Returns the cluster, and the retired stores that have no proof that the operator keys confirm.</summary>
    /// <exception cref="InvalidOperationException">This node has no operator keys, or has not met its cluster yet.</exception>
    public (ulong Cluster, IReadOnlyList<ulong> Stores) OrderToSign()
    {
        ThrowIfNothingCanBeProven();
        return (Identity.Cluster, _proofs.Unproven);
    }

    /// <summary>Adds an operator's proofs to retirements that are known without a proof.</summary>
    /// <exception cref="ArgumentException">A proof is not valid.</exception>
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
                $"This node has no operator keys ({nameof(Datacake.Node.DatacakeNodeOptions.WithOperatorKeys)}), so it cannot verify a key. Call RetireAsync without a key, or give all nodes the keys.");
        }
        if (Identity.Cluster == 0)
            throw new InvalidOperationException("The store has not met its cluster yet. Call this on a node that has joined.");
    }

    void ThrowIfInvalid(ulong store, ReadOnlyMemory<byte> proof)
    {
        if (_settings.Authority is { } authority && !authority.Proves(Identity.Cluster, store, proof))
        {
            throw new ArgumentException(
                $"The key is not one of the keys that may retire members. Use a private key whose public key is among {nameof(Datacake.Node.DatacakeNodeOptions.WithOperatorKeys)} of this node.");
        }
    }

    /// <summary>Retires a member: its store is never admitted again.</summary>
    /// <param name="node">The member.</param>
    /// <param name="proof">An operator's proof for the current store of the member; empty for none.</param>
    /// <exception cref="ArgumentException">The node is this node, or is not a member; or the proof is not valid.</exception>
    /// <exception cref="InvalidOperationException">A proof is required and missing.</exception>
    public void Retire(byte node, ReadOnlyMemory<byte> proof = default)
    {
        ulong store = _members.StoreToRetire(node);
        if (_proofs.AreNeeded && proof.IsEmpty)
        {
            throw new InvalidOperationException(
                $"Node {node} cannot be retired without an operator's key, because this node has operator keys. Retire it in an application that has the private key (RetireAsync with the key).");
        }
        ThrowIfInvalid(store, proof);
        var retired = new Dictionary<ulong, ReadOnlyMemory<byte>> { [store] = proof };
        Learn(new MemberTable(new Dictionary<byte, StoreMember>(), new HashSet<byte>(), retired, RetiredDigest: 0), isOfMember: true);
        Identity.Ancestors.Remove(store);
    }

    /// <summary>Creates a report on the known sets of this replica and of all members that it has heard of [R10].</summary>
    /// <param name="batch">The batch whose changes the report includes.</param>
    /// <param name="nonce">The roll call that the report answers, or 0.</param>
    public Report Report(ReplicaBatch batch, ulong nonce = 0)
    {
        var peers = new Dictionary<byte, PeerKnowledge>(_members.Heard);
        if (IsJoined)
            peers[Node] = new PeerKnowledge(_run.Stamp, batch.State.Known);
        // The caller of a roll must hear of all retired stores [R12]. Otherwise, stores that every peer in session already knows to be
        // retired are left out.
        bool withRetired = nonce != 0 || Sessions.Values.Any(session => session.RetiredDigest != Identity.Retired.Digest);
        return new Report(
            nonce, Identity.Cluster, _clock.Last, _settings.Time.GetUtcNow(), FingerprintIn(batch), peers, Sessions.ToDictionary(session => session.Key, session => session.Value.Boot),
            MemberTable.Of(Identity, withRetired));
    }

    /// <summary>True if a peer has reported in its session within the last few ticks, and therefore is running.</summary>
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

    /// <summary>Returns the fingerprint of the known transactions, or null while the batch changes the known set [R15].</summary>
    UInt128? FingerprintIn(ReplicaBatch batch) => IsJoined && !HasArrived && batch.State.Known.Equals(_state.Known) ? Catalog.Fingerprint : null;

    /// <summary>
    /// Takes over the identity of the first cluster that a store without one hears of. Returns false if the store belongs to a different
    /// cluster.
    /// </summary>
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

    /// <summary>Merges a member table, ends the sessions of retired members, and excludes this store if it is retired.</summary>
    void Learn(MemberTable table, bool isOfMember)
    {
        var retired = _members.Learn(table, isOfMember, IsJoined, Sessions);
        if (!IsJoined)
            DropRetiredSeed();
        foreach (byte node in retired)
            EndSession(node, RefusalReasons.Retired(node, Sessions.TryGetValue(node, out var session) ? Identity.Retired.ProofOf(session.StoreId) : default));
        // The table may have named another store for a member. That store takes precedence over the one that is in session.
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
