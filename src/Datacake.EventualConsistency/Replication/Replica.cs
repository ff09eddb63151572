using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The replication rules of one store: a state machine without sockets, threads or timers. It is handed transactions, messages and ticks, and
/// says through a <see cref="ReplicaBatch"/> what to store and then to send. Rule numbers in brackets are those of the protocol.
/// </summary>
/// <remarks>
/// Used by one caller at a time. Each batch is begun, worked on, prepared, committed to the storage, and then completed or abandoned, before the next.
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
    readonly SeedTaker _seedTaker;
    readonly Puller _puller;
    readonly Reconciler _reconciler;
    readonly Rewriter _rewriter;
    readonly Collector _collector;
    readonly FingerprintComparison _comparison = new();
    readonly LostDocuments _lost;
    readonly MutationReceiver _receiver;
    readonly LocalWriter _writer;
    readonly Plausibility _plausibility;
    readonly BatchBuffers _buffers = new();                         // of the batch under way
    ReplicaState _state;
    bool _hasJoined;                                                // as of the last completed batch
    long _ticks;

    Replica(ReplicaSettings settings, HybridLogicalClock clock, KeyspaceCatalog catalog, ReplicaIdentity identity, ReplicaState state)
    {
        _settings = settings;
        _clock = clock;
        _state = state;
        Catalog = catalog;
        Identity = identity;
        _limit = new StampLimit(identity);
        _lost = new LostDocuments(clock.Node);
        _run = new OwnRun(clock, identity);
        _table = new SessionTable(clock.Node);
        _admission = new Admission(settings, clock, identity);
        _proofs = new RetirementProofs(identity, settings.Authority);
        _members = new Members(clock.Node, identity, _proofs);
        _gapCloser = new GapCloser(clock.Node, identity);
        _seedTaker = new SeedTaker(catalog, settings.MaxStep);
        _puller = new Puller(_table, _members, _seedTaker, _run, settings.MaxStagedLength);
        _reconciler = new Reconciler(_run, settings);
        _rewriter = new Rewriter(_run, settings.MaxAsserted);
        _collector = new Collector(settings.MaxStep);
        _receiver = new MutationReceiver(clock, _members);
        _mender = new Mender(catalog);
        _plausibility = new Plausibility(clock);
        _writer = new LocalWriter(_run, _gapCloser, catalog, settings.MaxDocumentLength);
    }

    /// <summary>The node whose replica this is.</summary>
    public byte Node => _clock.Node;

    /// <summary>The life of this process.</summary>
    public ulong Boot => _settings.Boot;

    public KeyspaceCatalog Catalog { get; }

    public ReplicaIdentity Identity { get; }

    /// <summary>What is known, as of the last completed batch.</summary>
    public ReplicaState State => _state;

    /// <summary>True if a pull is under way.</summary>
    public bool IsPulling => _puller.IsPulling;

    /// <summary>True if a pull can be started: there is one at a time, and what lies aside of an earlier one has to be gone.</summary>
    public bool CanPull => !IsPulling && !_reconciler.MayHavePart;

    /// <inheritdoc cref="Reconciler.HasArrived"/>
    public bool HasArrived => _reconciler.HasArrived;

    /// <inheritdoc cref="RemovalGuard.Held"/>
    public HeldRemoval? HeldRemoval => _reconciler.Guard.Held;

    /// <inheritdoc cref="RemovalGuard.Allow"/>
    public void AllowRemoval() => _reconciler.Guard.Allow();

    /// <inheritdoc cref="FingerprintComparison.Differing"/>
    public IReadOnlyCollection<byte> Differing => _comparison.Differing;

    /// <summary>The stamp that this life of the store started with, or none before it has joined [R5].</summary>
    public HlcTimestamp Run => _run.Stamp;

    public bool IsJoined => _run.HasBegun;

    /// <summary>Opens the replica of a store; the returned batch has what must be committed before anything else.</summary>
    /// <exception cref="StorageException">The store is of another format, or damaged.</exception>
    public static async ValueTask<(Replica Replica, ReplicaBatch Batch)> OpenAsync(
        ReplicaSettings settings, HybridLogicalClock clock, IStorage storage, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        try
        {
            await CheckFormatAsync(storage, snapshot, cancellationToken).ConfigureAwait(false);
            var catalog = await KeyspaceCatalog.LoadAsync(snapshot, cancellationToken).ConfigureAwait(false);
            var (identity, state) = await ReadWhoAsync(settings, snapshot, cancellationToken).ConfigureAwait(false);
            CheckNode(clock.Node, identity, storage);
            if (settings.Delay is { } delay && StampLimit.WaitFor(identity.Limit, settings.Time) is { Ticks: > 0 } wait)
                await delay(wait, cancellationToken).ConfigureAwait(false);
            var replica = new Replica(settings, clock, catalog, identity, state);
            return (replica, await replica.StartAsync(snapshot, cancellationToken).ConfigureAwait(false));
        }
        catch (InvalidDataException e)
        {
            throw new StorageException(StorageError.Corrupt,
                $"The {storage.Description} is damaged: {e.Message} Nothing was changed in it. Restore a backup, or move it away and start with an empty store, "
                    + "which the other nodes fill again (set TakeOverNodeId).", e);
        }
    }

    /// <summary>What a snapshot's store knows.</summary>
    public static async ValueTask<ReplicaState> ReadStateAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken) =>
        await snapshot.GetAsync(StoreLayout.StateKey, cancellationToken).ConfigureAwait(false) is { } state ? ReplicaState.Decode(state) : ReplicaState.Empty;

    /// <summary>
    /// The last batch of an orderly stop: writes the limit back to the last stamp, so that the next start need not wait. Nothing is written after it.
    /// </summary>
    public void PrepareStop()
    {
        if (IsJoined)
            _limit.Release(_run.Last);
    }

    /// <summary>Starts a batch over a snapshot of everything committed so far.</summary>
    public ReplicaBatch Begin(IStorageSnapshot snapshot) => new(snapshot, Catalog, _state, _buffers);

    /// <summary>The last step before the storage commit. Whether it has to be flushed, whatever the store's durability is.</summary>
    public (WriteBatch Batch, bool MustFlush) Prepare(ReplicaBatch batch)
    {
        _limit.Cover(_run.Stamp, batch.LastWritten);
        // A store that has joined is known by this record, also before it knows anything.
        batch.MustWriteState |= IsJoined && !_hasJoined;
        return (batch.Build(Identity), Identity.IsDirty);
    }

    /// <summary>The storage has committed the batch.</summary>
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
    /// The storage has failed to commit the batch, and the snapshot shows what became of it: nothing of it counts but what is stored. What was
    /// pulled is fetched again, unless it is certain that nothing is stored.
    /// </summary>
    public async ValueTask AbandonAsync(IStorageSnapshot snapshot, bool isUnchanged)
    {
        _puller.OnAbandoned(isUnchanged);
        _reconciler.OnAbandoned();
        bool hasJoined = await snapshot.GetAsync(StoreLayout.IdentityKey).ConfigureAwait(false) is { } identity && ReplicaIdentity.Decode(identity).IsJoined;
        if (!hasJoined)
            await ReadSeedAsync(snapshot).ConfigureAwait(false);
        _state = await ReadStateAsync(snapshot, CancellationToken.None).ConfigureAwait(false);
        _run.OnAbandoned(_state);
        await Catalog.ReadAgainAsync(snapshot).ConfigureAwait(false);
        SuspectLossIfUncounted();
    }

    /// <summary>Does what is due from time to time: reports, pulls, roll calls. To be called every few hundred milliseconds.</summary>
    public void Tick(ReplicaBatch batch)
    {
        _ticks++;
        _reconciler.Guard.Tick();
        // In turns: where several peers decline, there would always be another one to ask for what is missing, and where one lacks something, to merge in full.
        bool isMergeFirst = _ticks % 2 == 0;
        if (isMergeFirst)
            MergeInFull(batch);
        _puller.Tick(batch, mayStart: !_reconciler.MayHavePart, MayAsk);
        if (!isMergeFirst)
            MergeInFull(batch);
        if (IsWaitingForRoll)
            StartRoll(batch);
        else if (IsJoined && _gapCloser.HasGap(batch.State))
            TickGap(batch);
        batch.Outbox.Add(new Outgoing(null, 0, Report(batch)));
    }

    /// <summary>Asks a peer for all that it has, if the replica differs from it, or may have lost documents.</summary>
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

    /// <summary>Returns true if a peer may be asked for what is missing now.</summary>
    public bool MayAsk(byte peer) => _reconciler.Guard.MayAsk(peer) && KnowsEnough(peer);

    /// <inheritdoc cref="LostDocuments.IsChoosy"/>
    bool KnowsEnough(byte peer)
    {
        if (!_lost.IsChoosy)
            return true;
        var knownToPeers = Sessions.Keys.Where(_members.HasRun).Aggregate(VersionVector.Empty, (known, other) => known.Union(_members.KnownOf(other)));
        return _members.KnownOf(peer).Covers(_state.Known.Intersect(knownToPeers));
    }

    /// <summary>Asks a peer, in its session, for everything that this replica lacks.</summary>
    public void StartPull(ReplicaBatch batch, byte peer) => _puller.Start(batch, peer);

    /// <summary>Starts a pull from a peer with whom a session has just been opened, if it has something that this replica lacks.</summary>
    public void PullFromNewPeer(ReplicaBatch batch, byte peer, Hello hello)
    {
        if (CanPull && MayAsk(peer) && _puller.HasMore(batch, peer, hello))
            _puller.Start(batch, peer);
    }

    /// <inheritdoc cref="Puller.OnProgress"/>
    public void OnPullProgress(byte peer) => _puller.OnProgress(peer);

    /// <summary>
    /// Reconciles the snapshot that lies aside [R13], or clears away one that is of no use. Before anything else is done with the batch, which has to hold what
    /// is changed and not what is stored.
    /// </summary>
    public async ValueTask ReconcileAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        if (HasArrived)
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
    /// Truncates the log of what is stable and not above <paramref name="upTo"/>, and purges what becomes purgeable by it: some thousands of records
    /// at a time.
    /// </summary>
    /// <returns>True if there is more to do.</returns>
    public async ValueTask<bool> CollectAsync(ReplicaBatch batch, HlcTimestamp upTo)
    {
        if (!IsJoined)
            return await PurgeSeedAsync(batch).ConfigureAwait(false);
        bool hasMore = await _collector.CollectAsync(batch, Stable(_state), upTo).ConfigureAwait(false);
        return hasMore || IsClearing;
    }

    /// <summary>Commits a local transaction [R5].</summary>
    /// <exception cref="DocumentNotFoundException">An update names a document that is not shown here; the batch is as before.</exception>
    /// <exception cref="TransactionConflictException">A document is not as the transaction requires; the batch is as before.</exception>
    /// <exception cref="StoreExcludedException">The store is no longer part of its cluster; the batch is as before.</exception>
    /// <exception cref="ArgumentException">A document would become too large; the batch is as before.</exception>
    public ValueTask<HlcTimestamp> WriteAsync(ReplicaBatch batch, Transaction transaction)
    {
        if (!IsJoined)
            throw new InvalidOperationException("A store that has not joined its cluster issues no stamps.");
        if (Exclusion is { } exclusion)
            throw new StoreExcludedException(Node, exclusion.Reason);
        return _writer.WriteAsync(batch, transaction);
    }

    /// <summary>True if what lies aside is of no use, and being cleared away.</summary>
    bool IsClearing => _reconciler.MayHavePart && !IsPulling && !HasArrived;

    async ValueTask<ReplicaBatch> StartAsync(IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        // A fresh store may have had another node id before.
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
            await TakeUpSeedAsync(snapshot, batch, cancellationToken).ConfigureAwait(false);
        Identity.IsDirty = true;
        return batch;
    }

    /// <summary>Returns who a store is and what it knows. One that has lost that, and not its documents, must not be taken for a fresh one.</summary>
    static async ValueTask<(ReplicaIdentity Identity, ReplicaState State)> ReadWhoAsync(
        ReplicaSettings settings, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        var identity = await snapshot.GetAsync(StoreLayout.IdentityKey, cancellationToken).ConfigureAwait(false) is { } found ? ReplicaIdentity.Decode(found) : null;
        var state = await snapshot.GetAsync(StoreLayout.StateKey, cancellationToken).ConfigureAwait(false) is { } known ? ReplicaState.Decode(known) : null;
        if (identity is null)
        {
            foreach (var range in (KeyRange[])[StoreLayout.AllDocuments, StoreLayout.AllLog, StoreLayout.AllKeyspaces])
            {
                if (state is not null || (await SnapshotReading.ScanKeysAsync(snapshot, range, 1, cancellationToken).ConfigureAwait(false)).Count > 0)
                    throw new InvalidDataException("The record of who this node is is missing, and others are there.");
            }
        }
        if (identity is { IsJoined: true } && state is null)
            throw new InvalidDataException("The record of what this node knows is missing.");
        return (identity ?? new ReplicaIdentity(settings.FreshId), state ?? ReplicaState.Empty);
    }

    /// <summary>Refuses a store of another format.</summary>
    /// <exception cref="StorageException">The store has another format.</exception>
    public static async ValueTask CheckFormatAsync(IStorage storage, IStorageSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (await snapshot.GetAsync(StoreLayout.FormatKey, cancellationToken).ConfigureAwait(false) is not { } bytes)
            return;
        uint format = StoreLayout.DecodeFormat(bytes.Span);
        if (format > StoreLayout.Format)
        {
            throw new StorageException(StorageError.NewerFormat,
                $"The {storage.Description} has format {format}; this version of the library reads format {StoreLayout.Format}. Update the library.");
        }
        if (format < StoreLayout.Format)
        {
            throw new StorageException(StorageError.Failed,
                $"The {storage.Description} has format {format}, of a version from before the first release; this version reads format {StoreLayout.Format}. "
                    + "Nothing was changed in it. Move it away and start with an empty store, which the other nodes fill again (set TakeOverNodeId).");
        }
    }

    static void CheckNode(byte node, ReplicaIdentity identity, IStorage storage)
    {
        if (identity.IsJoined && identity.Members.First(member => member.Value.StoreId == identity.StoreId).Key is var owner && owner != node)
        {
            throw new InvalidOperationException(
                $"The {storage.Description} belongs to node {owner}, and this is node {node}. Start the node with its own store, or with node id {owner}.");
        }
    }
}
