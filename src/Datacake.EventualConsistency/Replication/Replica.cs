using Datacake.Crdt;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The replication rules of one store: a state machine without sockets, threads or timers. The caller hands it transactions, messages and
/// ticks, and it collects in a <see cref="ReplicaBatch"/> what to store and then to send. Numbers in brackets, such as [R7], refer to the
/// rules in PROTOCOL.md.
/// </summary>
/// <remarks>
/// Not thread-safe: one caller at a time. Each batch is begun, filled, prepared, committed to the storage, and then completed or abandoned,
/// before the next one begins.
/// </remarks>
sealed partial class Replica
{
    readonly ReplicaSettings _settings;
    readonly HybridLogicalClock _clock;
    readonly StampLimit _limit;
    readonly RetirementProofs _proofs;
    readonly OwnRun _run;
    readonly SessionTable _table;
    readonly Admission _admission;
    readonly Members _members;
    readonly GapCloser _gapCloser;
    readonly SeedCopier _seedCopier;
    readonly Puller _puller;
    readonly Reconciler _reconciler;
    readonly Rewriter _rewriter;
    readonly Collector _collector;
    readonly Expirer _expirer;
    readonly FingerprintComparison _comparison = new();
    readonly LossRecovery _lost;
    readonly MutationReceiver _receiver;
    readonly LocalWriter _writer;
    readonly RightsBalancer _balancer;
    readonly Plausibility _plausibility;
    readonly BatchBuffers _buffers = new();                         // reused by each batch
    ReplicaState _state;
    bool _hasJoined;                                                // after the last completed batch
    long _ticks;

    Replica(ReplicaSettings settings, HybridLogicalClock clock, KeyspaceCatalog catalog, ReplicaIdentity identity, ReplicaState state)
    {
        _settings = settings;
        _clock = clock;
        _state = state;
        Catalog = catalog;
        Identity = identity;
        _limit = new StampLimit(identity);
        _lost = new LossRecovery(clock.Node);
        _run = new OwnRun(clock, identity);
        _table = new SessionTable(clock.Node);
        _admission = new Admission(settings, clock, identity);
        _proofs = new RetirementProofs(identity, settings.Authority);
        _members = new Members(clock.Node, identity, _proofs);
        _gapCloser = new GapCloser(clock.Node, identity);
        _seedCopier = new SeedCopier(catalog, settings.MaxStep);
        _puller = new Puller(_table, _members, _seedCopier, _run, settings.MaxStagedLength);
        _reconciler = new Reconciler(_run, settings);
        _rewriter = new Rewriter(_run, settings.MaxAsserted);
        _collector = new Collector(settings.MaxStep);
        _expirer = new Expirer(catalog, settings.MaxExpired);
        _receiver = new MutationReceiver(clock, _members, settings.Escrow);
        _repairer = new RecordRepairer(catalog);
        _plausibility = new Plausibility(clock);
        _writer = new LocalWriter(_run, _gapCloser, catalog, identity.StoreId, settings.Escrow, settings.MaxDocumentLength);
        _balancer = new RightsBalancer(_writer, settings.Escrow);
    }

    /// <summary>Gets the node that the replica belongs to.</summary>
    public byte Node => _clock.Node;

    /// <summary>Gets the boot: a random number, one per life of the process.</summary>
    public ulong Boot => _settings.Boot;

    /// <summary>Gets the protocol versions that the replica speaks.</summary>
    public ProtocolVersion Protocol => _settings.Protocol;

    public KeyspaceCatalog Catalog { get; }

    public ReplicaIdentity Identity { get; }

    /// <summary>Gets the replica's knowledge after the last completed batch.</summary>
    public ReplicaState State => _state;

    /// <summary>True if a pull is in progress.</summary>
    public bool IsPulling => _puller.IsPulling;

    /// <summary>
    /// True if a pull can be started: there is at most one at a time, and the snapshot that an earlier one set aside must be gone.
    /// </summary>
    public bool CanPull => !IsLeaving && !IsPulling && !_reconciler.MayHavePart;

    /// <inheritdoc cref="Reconciler.HasArrived"/>
    public bool HasArrived => _reconciler.HasArrived;

    /// <inheritdoc cref="RemovalGuard.Held"/>
    public HeldRemoval? HeldRemoval => _reconciler.Guard.Held;

    /// <inheritdoc cref="RemovalGuard.Allow"/>
    public void AllowRemoval() => _reconciler.Guard.Allow();

    /// <inheritdoc cref="FingerprintComparison.Differing"/>
    public IReadOnlyCollection<byte> Differing => _comparison.Differing;

    /// <summary>Gets the stamp that this life of the store started with, or none before the store has joined [R5].</summary>
    public HlcTimestamp Run => _run.Stamp;

    public bool IsJoined => _run.HasBegun;

    /// <summary>Opens the replica of a store. The returned batch must be committed before any other.</summary>
    /// <exception cref="StorageException">The store has a different format, or is damaged.</exception>
    public static async ValueTask<(Replica Replica, ReplicaBatch Batch)> OpenAsync(
        ReplicaSettings settings, HybridLogicalClock clock, IStorage storage, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        try
        {
            await CheckFormatAsync(storage, snapshot, cancellationToken).ConfigureAwait(false);
            var catalog = await KeyspaceCatalog.LoadAsync(snapshot, cancellationToken).ConfigureAwait(false);
            var (identity, state) = await ReadIdentityAsync(settings, snapshot, cancellationToken).ConfigureAwait(false);
            if (identity.IsJoined && settings.FollowedKeyspaces is not null)
            {
                throw new InvalidOperationException(
                    $"The {storage.Description} belongs to a member of its cluster, and may have writes that no other node has, so it cannot become the copy of a follower. "
                        + "Give the follower an empty store, or move these files away.");
            }
            CheckNode(clock.Node, identity, storage);
            if (settings.Delay is { } delay && StampLimit.WaitFor(identity.Limit, settings.Time) is { Ticks: > 0 } wait)
                await delay(wait, cancellationToken).ConfigureAwait(false);
            var replica = new Replica(settings, clock, catalog, identity, state);
            return (replica, await replica.StartAsync(snapshot, cancellationToken).ConfigureAwait(false));
        }
        catch (InvalidDataException e)
        {
            throw new StorageException(StorageError.Corrupt,
                $"The {storage.Description} is damaged: {e.Message} Nothing was changed in it. Restore a backup, or move the store away and start with an empty one, "
                    + "which the other nodes fill again (set TakeOverNodeId).", e);
        }
    }

    /// <summary>Reads the state that a snapshot holds.</summary>
    public static async ValueTask<ReplicaState> ReadStateAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken) =>
        await snapshot.GetAsync(StoreLayout.StateKey, cancellationToken).ConfigureAwait(false) is { } state ? ReplicaState.Decode(state) : ReplicaState.Empty;

    /// <summary>
    /// Prepares the last batch of an orderly stop: lowers the limit to the last stamp, so that the next start need not wait. No batch
    /// follows.
    /// </summary>
    public void PrepareStop()
    {
        if (IsJoined)
            _limit.Release(_run.Last);
    }

    /// <summary>Begins a batch over a snapshot of everything committed so far.</summary>
    public ReplicaBatch Begin(IStorageSnapshot snapshot) => new(snapshot, Catalog, _state, _buffers, _clock.Wall);

    /// <summary>
    /// Builds the storage batch, as the last step before the commit. Also returns true if the commit must be flushed regardless of the
    /// store's durability.
    /// </summary>
    public (WriteBatch Batch, bool MustFlush) Prepare(ReplicaBatch batch)
    {
        _limit.Cover(_run.Stamp, batch.LastWritten);
        // The state record marks a store as joined, so it is written even before the store knows anything.
        batch.MustWriteState |= IsJoined && !_hasJoined;
        return (batch.Build(Identity), Identity.IsDirty || batch.MustFlush);
    }

    /// <summary>Takes over the changes of a batch that the storage has committed.</summary>
    public void Complete(ReplicaBatch batch)
    {
        _state = batch.State;
        _hasJoined = IsJoined;
        _run.OnCommitted(batch);
        Identity.IsDirty = false;
        Catalog.Complete(batch.KeyspaceChanges);
        _reconciler.OnCommitted(batch);
        _puller.OnCommitted();
    }

    /// <summary>
    /// Discards a batch that the storage failed to commit, and takes over the state from a snapshot, because part of the batch may be
    /// stored after all. What the batch brought from a pull is fetched again, unless it is certain that nothing is stored.
    /// </summary>
    public async ValueTask AbandonAsync(IStorageSnapshot snapshot, bool isUnchanged)
    {
        _puller.OnAbandoned(isUnchanged);
        _reconciler.OnAbandoned();
        bool hasJoined = await snapshot.GetAsync(StoreLayout.IdentityKey).ConfigureAwait(false) is { } identity && ReplicaIdentity.Decode(identity).IsJoined;
        if (!hasJoined)
        {
            await ReadCopyAsync(snapshot).ConfigureAwait(false);
            await ReadSeedAsync(snapshot).ConfigureAwait(false);
        }
        EndFollowing(_following);
        _state = await ReadStateAsync(snapshot, CancellationToken.None).ConfigureAwait(false);
        _run.OnAbandoned(_state);
        await Catalog.ReadAgainAsync(snapshot).ConfigureAwait(false);
        SuspectLossIfUncounted();
    }

    /// <summary>
    /// True if the periodic work has nothing to do until something happens: this replica has joined, it knows what its peers in session know and no more,
    /// nothing is under way, and no document expires.
    /// </summary>
    public bool IsAtRest => IsFollower ? _copy is not null && !IsClearing && !_isTakingAside : IsJoined && !IsPulling && HeldRemoval is null && _lost.AreBack(Others) && !MustCloseGap(_state)
        && Sessions.Keys.All(peer => KnownOf(peer).Equals(_state.Known))
        && !Catalog.All.Any(static keyspace => keyspace.State.Indexes.Any(static index => index.Definition.Name == ExpiryIndex.Name));

    /// <summary>Does the periodic work: reports, pulls and roll calls. Must be called every few hundred milliseconds.</summary>
    public void Tick(ReplicaBatch batch)
    {
        _ticks++;
        if (IsFollower)
            return;
        if (IsLeaving)
        {
            ForgetAsked();
            batch.Outbox.Add(new Outgoing(null, 0, Report(batch)));
            return;
        }
        _balancer.Tick();
        _reconciler.Guard.Tick();
        // Taking turns keeps either from starving the other. While several peers decline, there is always another one to pull missing data
        // from; while a peer lacks something, there is always one to merge in full.
        bool isMergeFirst = _ticks % 2 == 0;
        if (isMergeFirst)
            MergeInFull(batch);
        _puller.Tick(batch, mayStart: !_reconciler.MayHavePart, MayAsk);
        if (!isMergeFirst)
            MergeInFull(batch);
        if (IsWaitingForRoll)
            StartRoll(batch);
        else if (IsJoined && MustCloseGap(batch.State))
            TickGap(batch);
        batch.Outbox.Add(new Outgoing(null, 0, Report(batch)));
    }

    /// <summary>Pulls a full snapshot from a peer if the replica differs from it, or may have lost documents.</summary>
    void MergeInFull(ReplicaBatch batch)
    {
        foreach (byte peer in _comparison.Tick())
        {
            if (!CanPull || !Sessions.ContainsKey(peer) || !KnowsEnough(peer))
                continue;
            _comparison.OnMerging(peer);
            _puller.Start(batch, peer, isFull: true);
        }
        foreach (byte peer in _lost.Tick(Others))
        {
            if (!CanPull)
                break;
            if (!KnowsEnough(peer))
            {
                _lost.OnKnowsLess(peer);
                continue;
            }
            _lost.OnAsked(peer);
            _puller.Start(batch, peer, isFull: true);
        }
    }

    /// <summary>Returns true if a peer may currently be asked for missing data.</summary>
    public bool MayAsk(byte peer) => _reconciler.Guard.MayAsk(peer) && KnowsEnough(peer);

    /// <inheritdoc cref="LossRecovery.IsSelective"/>
    bool KnowsEnough(byte peer)
    {
        if (!_lost.IsSelective)
            return true;
        var knownToPeers = Sessions.Keys.Where(_members.HasRun).Aggregate(VersionVector.Empty, (known, other) => known.Union(_members.KnownOf(other)));
        return _members.KnownOf(peer).Covers(_state.Known.Intersect(knownToPeers));
    }

    /// <summary>Asks a peer, in its session, for everything that this replica lacks.</summary>
    public void StartPull(ReplicaBatch batch, byte peer) => _puller.Start(batch, peer);

    /// <summary>
    /// Starts a pull from a peer with which a session was just opened, if the peer has something that this replica lacks.
    /// </summary>
    public void PullFromNewPeer(ReplicaBatch batch, byte peer, Hello hello)
    {
        if (CanPull && MayAsk(peer) && _puller.HasMore(batch, peer, hello))
            _puller.Start(batch, peer);
    }

    /// <inheritdoc cref="Puller.OnProgress"/>
    public void OnPullProgress(byte peer) => _puller.OnProgress(peer);

    /// <summary>
    /// Reconciles the snapshot that was set aside [R13], or clears away one that is no longer needed. Must be called before the batch is
    /// used for anything else: the reconcile reads the stored documents directly, so that the batch holds only the documents that change.
    /// </summary>
    public async ValueTask ReconcileAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        if (HasArrived && IsFollower)
        {
            await _reconciler.ReplaceAsync(batch, cancellationToken).ConfigureAwait(false);
        }
        else if (HasArrived && !IsLeaving)
        {
            await _reconciler.ReconcileAsync(batch, cancellationToken).ConfigureAwait(false);
            await WriteAgainAsync(batch).ConfigureAwait(false);
        }
        else if (IsClearing)
        {
            await _reconciler.ClearAsync(batch, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Truncates the log of stable transactions up to <paramref name="upTo"/>, purges what becomes purgeable by that, and removes what has expired [R20], in steps of
    /// bounded size.
    /// </summary>
    /// <param name="batch">The batch to change.</param>
    /// <param name="upTo">The greatest stamp to truncate.</param>
    /// <param name="hold">The part of the log that consumers still need; null if there are none.</param>
    /// <returns>True if there is more to do.</returns>
    public async ValueTask<bool> CollectAsync(ReplicaBatch batch, HlcTimestamp upTo, LogHold? hold = null)
    {
        if (IsFollower)
            return await CollectFollowedAsync(batch).ConfigureAwait(false);
        if (!IsJoined)
            return await PurgeSeedAsync(batch).ConfigureAwait(false);
        bool hasMore = await _collector.CollectAsync(batch, hold?.Release(Stable(_state)) ?? Stable(_state), upTo).ConfigureAwait(false);
        hasMore |= await _expirer.StepAsync(batch).ConfigureAwait(false);
        return hasMore || IsClearing;
    }

    /// <summary>Commits a local transaction [R5].</summary>
    /// <exception cref="DocumentNotFoundException">An update names a document that does not exist here. The batch is unchanged.</exception>
    /// <exception cref="TransactionConflictException">A requirement of the transaction is not met. The batch is unchanged.</exception>
    /// <exception cref="CounterBoundException">A counter would pass its bound, or the store lacks the rights to change it. The batch has requests for rights at most.</exception>
    /// <exception cref="StoreExcludedException">The store is no longer part of its cluster. The batch is unchanged.</exception>
    /// <exception cref="TimeoutException">The store is leaving, and may yet stay. The batch is unchanged.</exception>
    /// <exception cref="ArgumentException">A document would become too large. The batch is unchanged.</exception>
    public ValueTask<HlcTimestamp> WriteAsync(ReplicaBatch batch, Transaction transaction)
    {
        if (!IsJoined)
            throw new InvalidOperationException("The store has not joined its cluster yet and cannot write. Wait until it has joined.");
        if (Exclusion is { } exclusion)
            throw new StoreExcludedException(Node, exclusion.Reason);
        if (IsLeaving)
            throw NewLeavingError(Node);
        return transaction.HasCounters ? WriteCountersAsync(batch, transaction) : _writer.WriteAsync(batch, transaction);
    }

    /// <summary>True if a snapshot that was set aside is no longer needed and is being cleared away.</summary>
    bool IsClearing => _reconciler.MayHavePart && !IsPulling && !HasArrived && !_isTakingAside;

    async ValueTask<ReplicaBatch> StartAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        // While the store was fresh, it may have been opened with a different node id.
        foreach (byte other in Identity.Members.Keys.Where(member => Identity.Members[member].StoreId == Identity.StoreId).ToArray())
            Identity.Members.Remove(other);
        Identity.Members[Node] = new StoreMember(Identity.StoreId, _settings.DataCenter, Identity.IsJoined, _settings.IsVolatile, _settings.TakesOver);
        _proofs.TakeUpStored();
        if (Identity.Retired.Contains(Identity.StoreId))
            _run.Exclude(RefusalReasons.Retired(Node, Identity.Retired.ProofOf(Identity.StoreId)));
        _clock.AdvanceTo(_limit.StartOfClock(_state, _settings.Time.GetUtcNow(), Boot));
        var batch = Begin(snapshot);
        batch.Extra.Put(StoreLayout.FormatKey, StoreLayout.EncodeFormat());
        SuspectLossIfUncounted();
        if (Identity.IsJoined)
            _run.Begin();
        else
            await TakeUpCopyAsync(snapshot, batch, cancellationToken).ConfigureAwait(false);
        Identity.IsDirty = true;
        return batch;
    }

    /// <summary>
    /// Reads the identity and the state of a store. A store that lost these records but not its documents must not pass for a fresh one.
    /// </summary>
    static async ValueTask<(ReplicaIdentity Identity, ReplicaState State)> ReadIdentityAsync(
        ReplicaSettings settings, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        var identity = await snapshot.GetAsync(StoreLayout.IdentityKey, cancellationToken).ConfigureAwait(false) is { } found ? ReplicaIdentity.Decode(found) : null;
        var state = await snapshot.GetAsync(StoreLayout.StateKey, cancellationToken).ConfigureAwait(false) is { } known ? ReplicaState.Decode(known) : null;
        if (identity is null)
        {
            foreach (var range in (KeyRange[])[StoreLayout.AllDocuments, StoreLayout.AllLog, StoreLayout.AllKeyspaces])
            {
                if (state is not null || (await SnapshotReading.ScanKeysAsync(snapshot, range, 1, cancellationToken).ConfigureAwait(false)).Count > 0)
                    throw new InvalidDataException("The record of the store's identity is missing, though other records exist.");
            }
        }
        if (identity is { IsJoined: true } && state is null)
            throw new InvalidDataException("The record of the store's known set is missing.");
        return (identity ?? new ReplicaIdentity(settings.FreshId), state ?? ReplicaState.Empty);
    }

    /// <summary>Refuses a store of a different format.</summary>
    /// <exception cref="StorageException">The store has a different format.</exception>
    public static async ValueTask CheckFormatAsync(IStorage storage, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (await snapshot.GetAsync(StoreLayout.FormatKey, cancellationToken).ConfigureAwait(false) is not { } bytes)
            return;
        uint format = StoreLayout.DecodeFormat(bytes.Span);
        if (format > StoreLayout.Format)
        {
            throw new StorageException(StorageError.NewerFormat,
                $"The {storage.Description} has format {format}, and this version of the library reads format {StoreLayout.Format}. Update the library.");
        }
        if (format < StoreLayout.Format)
        {
            throw new StorageException(StorageError.Failed,
                $"The {storage.Description} has format {format}, which was used before the first release. This version of the library reads format {StoreLayout.Format}. "
                    + "Nothing was changed in the store. Move it away and start with an empty one, which the other nodes fill again (set TakeOverNodeId).");
        }
    }

    static void CheckNode(byte node, ReplicaIdentity identity, IStorage storage)
    {
        if (identity.IsJoined && identity.Members.First(member => member.Value.StoreId == identity.StoreId).Key is var owner && owner != node)
        {
            throw new InvalidOperationException(
                $"The {storage.Description} belongs to node {owner}, but this is node {node}. Start this node with its own store, or with the node id {owner}.");
        }
    }
}
