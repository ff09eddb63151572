using System.Security.Cryptography;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Options;
using Datacake.EventualConsistency.Remote;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Snapshots;
using Datacake.EventualConsistency.Transactions;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>
/// The replica of one node: keyspaces of documents that are stored locally and replicated to the other nodes. Thread-safe.
/// </summary>
public sealed partial class ReplicatedStore : IAsyncDisposable
{
    readonly StoreParts _parts;
    readonly DatacakeNode _node;
    readonly Replica _replica;
    readonly CommitLoop _loop;
    readonly StoreJoining _joining;
    readonly CurrentMembership _membership;
    readonly ReplicatedStoreOptions _options;
    readonly RemoteCommitter? _remote;          // of a follower
    readonly RemoteService? _remoteService;     // of a member
    readonly Lock _disposeLock = new();
    volatile bool _isClosing;
    Task? _disposed;

    internal ReplicatedStore(StoreParts parts, IStorage storage)
    {
        _parts = parts;
        Storage = storage;
        _node = parts.Context.Node;
        _replica = parts.Context.Replica;
        _loop = parts.Context.Loop;
        _joining = parts.Joining;
        _membership = parts.Membership;
        _options = parts.Options;
        Leases = CreateLeases();
        if (parts.Source is { } source)
        {
            _remote = new RemoteCommitter(parts.Context.Host, source.Sources, _options.AcknowledgmentTimeout);
        }
        else
        {
            _remoteService = new RemoteService(parts.Context.Host, OperationsForOthers());
            _node.Server.AddService(_remoteService);
        }
    }

    /// <summary>Gets the storage that the store was opened on, without checksums and without a cache.</summary>
    internal IStorage Storage { get; }

    /// <summary>Gets the number of documents in all keyspaces.</summary>
    internal long DocumentCount => _replica.Catalog.All.Sum(static keyspace => keyspace.State.Record.Count);

    /// <summary>Gets the node to which this replica belongs.</summary>
    public DatacakeNode Node => _node;

    /// <summary>Gets the name of the store; an empty text for the node's own store.</summary>
    public string Name => _parts.Context.Host.Name;

    /// <summary>Gets the members whose replicas count for the consistency levels, ordered by node id and including the local one.</summary>
    public IReadOnlyList<ConsistencyMember> Members => _membership.Current.Members;

    /// <summary>
    /// Gets the state of each member, ordered by node id and including the local one: whether a session is open, and if not, why. The
    /// states are updated when something changes, and at each report.
    /// </summary>
    public IReadOnlyList<StoreMemberState> MemberStates => _membership.States;

    /// <summary>Gets a task that completes when the store is part of its cluster and accepts writes, or, for a follower, has a whole copy.</summary>
    public Task Joined => _joining.Joined;

    /// <summary>Gets the progress of joining the cluster.</summary>
    public JoinStatus JoinStatus => _joining.Status;

    /// <summary>Gets the reason why the store has not joined its cluster, as of the last tick; null if it has joined.</summary>
    internal JoinObstacle? JoinObstacle => _joining.LastObstacle;

    /// <summary>
    /// True if the store had joined before it was opened, although it was told to take over its node id. The next empty disk would then take the place of the store unasked.
    /// </summary>
    internal bool IsTakeOverLeft => _options.TakeOverNodeId && _joining.WasJoined;

    /// <summary>True if nothing has happened in this named store for a while, so that it does its periodic work rarely.</summary>
    internal bool IsResting => _parts.IsResting;

    /// <summary>Gets the number of nodes that this node expects.</summary>
    internal int ExpectedNodes => _options.ExpectedNodes;

    /// <summary>Gets the instant of the node's wall clock.</summary>
    internal DateTimeOffset Now => _node.TimeProvider.GetUtcNow();

    /// <summary>
    /// Returns the progress of joining the cluster at present and after each change, until the store has joined. A slow reader misses some
    /// changes.
    /// </summary>
    /// <exception cref="ObjectDisposedException">The store is closed, or was closed before it had joined.</exception>
    public IAsyncEnumerable<JoinStatus> WatchJoiningAsync(CancellationToken cancellationToken = default) => _joining.WatchAsync(cancellationToken);

    /// <summary>Commits a transaction locally, and waits until enough replicas have it to satisfy the consistency level.</summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level; nothing was written.</exception>
    /// <exception cref="ConsistencyException">
    /// The level was not satisfied in time. The write is kept; the message says what becomes of it.
    /// </exception>
    /// <exception cref="CommitCanceledException">The wait was canceled after the local commit. The write is kept and continues to replicate.</exception>
    /// <exception cref="DocumentNotFoundException">An update names a document that the local store does not show; nothing was written.</exception>
    /// <exception cref="TransactionConflictException">
    /// A document does not meet a requirement of the transaction; nothing was written.
    /// </exception>
    /// <exception cref="CounterBoundException">
    /// A counter would pass its minimum or maximum, or the rights to change it did not arrive from other nodes in time; nothing was written.
    /// </exception>
    /// <exception cref="InvalidOperationException">
    /// A put replaces a document that has a counter with bounds, or the document of such a counter was stored without bounds; nothing was
    /// written.
    /// </exception>
    /// <exception cref="TransactionLimitException">The transaction, or a document in it, is too large; nothing was written.</exception>
    /// <exception cref="ArgumentException">The transaction is empty, or writes to a document twice; nothing was written.</exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster yet, or is being released; nothing was written.</exception>
    /// <exception cref="StoreExcludedException">The store is no longer part of its cluster; nothing was written.</exception>
    /// <exception cref="StorageException">The storage refused the write; nothing was written.</exception>
    /// <exception cref="OutcomeUnknownException">The outcome could not be learned in time at <see cref="Consistency.Serial"/>.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or is closing; nothing was written.</exception>
    public ValueTask<CommitResult> CommitAsync(Transaction transaction, Consistency consistency, CancellationToken cancellationToken = default)
    {
        if (consistency == Consistency.Serial)
            return CommitSerialAsync(new SerialTransaction(transaction, []), cancellationToken);
        if (_remote is not null)
            return CommitAtMemberAsync(transaction, consistency, cancellationToken);
        return transaction.HasCounters ? CommitCountersAsync(transaction, consistency, cancellationToken) : CommitOnceAsync(transaction, consistency, cancellationToken);
    }

    /// <summary>Commits a transaction that changes counters. While it lacks rights that are asked of other nodes, it is tried again.</summary>
    async ValueTask<CommitResult> CommitCountersAsync(Transaction transaction, Consistency consistency, CancellationToken cancellationToken)
    {
        // A request, or its answer, may be lost.
        var patience = TimeSpan.FromMilliseconds(500);
        long start = _node.TimeProvider.GetTimestamp();
        while (true)
        {
            int arrived = _replica.RightsArrived;
            TimeSpan left;
            try
            {
                return await CommitOnceAsync(transaction, consistency, cancellationToken).ConfigureAwait(false);
            }
            catch (CounterBoundException e) when (e.MayRetry && (left = _options.AcknowledgmentTimeout - _node.TimeProvider.GetElapsedTime(start)) > TimeSpan.Zero)
            {
            }
            using var deadline = new CancellationTokenSource(left < patience ? left : patience, _node.TimeProvider);
            using var linked = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
            try
            {
                await _parts.Waiters.WaitAsync(() => _replica.RightsArrived != arrived, linked.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                // Asks again.
            }
        }
    }

    ValueTask<CommitResult> CommitOnceAsync(Transaction transaction, Consistency consistency, CancellationToken cancellationToken)
    {
        if (!_joining.IsJoined)
            return CommitOnceJoinedAsync(transaction, consistency, cancellationToken);
        LocalCommit commit;
        try
        {
            TransactionCheck.Check(transaction, _options);
            cancellationToken.ThrowIfCancellationRequested();
            commit = StartCommit(transaction, consistency, cancellationToken);
        }
        catch (Exception e)
        {
            return e is OperationCanceledException
                ? ValueTask.FromCanceled<CommitResult>(cancellationToken)
                : ValueTask.FromException<CommitResult>(e);
        }
        return _loop.TryPost(commit) ? commit.Done : PostAsync(commit, cancellationToken);
    }

    async ValueTask<CommitResult> CommitOnceJoinedAsync(Transaction transaction, Consistency consistency, CancellationToken cancellationToken)
    {
        TransactionCheck.Check(transaction, _options);
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        return await PostAsync(StartCommit(transaction, consistency, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    LocalCommit StartCommit(Transaction transaction, Consistency consistency, CancellationToken cancellationToken)
    {
        ThrowIfClosing();
        // Checked before the members are counted, which do not matter to an excluded store.
        if (_replica.Exclusion is { } exclusion)
            throw new StoreExcludedException(_node.Id, SettingNames.ForStore(exclusion.Reason, Name));
        var membership = _membership.Current;
        var requirement = membership.RequirementOf(consistency);
        if (!requirement.IsReachable)
            throw new NotEnoughNodesException(requirement, membership.Describe(_node), Name);
        return _parts.Context.Board.Start(transaction, requirement, cancellationToken);
    }

    async ValueTask<CommitResult> PostAsync(LocalCommit commit, CancellationToken cancellationToken)
    {
        try
        {
            await _loop.PostAsync(commit, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception)
        {
            commit.Withdraw();
            throw;
        }
        return await commit.Done.ConfigureAwait(false);
    }

    /// <summary>
    /// Opens a view of everything that is committed on this node. On a fresh store, waits until the store has joined its cluster, unless
    /// <see cref="ReplicatedStoreOptions.ReadBeforeJoined"/> is set.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster within <see cref="ReplicatedStoreOptions.JoinTimeout"/>.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or is closing.</exception>
    internal ValueTask<StoreSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default)
    {
        return _isClosing || _joining.IsJoined || _options.ReadBeforeJoined ? OpenPresentSnapshotAsync(cancellationToken) : OpenSnapshotOnceJoinedAsync(cancellationToken);
    }

    /// <summary>Opens a view of everything that is committed on this node, which may be a part of the data before the store has joined its cluster.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or is closing.</exception>
    internal ValueTask<StoreSnapshot> OpenPresentSnapshotAsync(CancellationToken cancellationToken = default) => _isClosing
        ? ValueTask.FromException<StoreSnapshot>(CommitLoop.Closed())
        : StoreSnapshot.OpenAsync(_parts.Context.Storage, _replica.Catalog, _node.Clock, cancellationToken);

    async ValueTask<StoreSnapshot> OpenSnapshotOnceJoinedAsync(CancellationToken cancellationToken)
    {
        await WaitUntilJoinedAsync(cancellationToken).ConfigureAwait(false);
        return await StoreSnapshot.OpenAsync(_parts.Context.Storage, _replica.Catalog, _node.Clock, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until this replica has the transaction that a token identifies.</summary>
    /// <exception cref="OperationCanceledException">The wait was canceled before the transaction arrived.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or was closed before the transaction arrived.</exception>
    public ValueTask WaitForAsync(SessionToken token, CancellationToken cancellationToken = default) =>
        _parts.Waiters.WaitAsync(() => _membership.Current.Known.Contains(token.Stamp), cancellationToken);

    /// <summary>Waits until the store has joined its cluster. A store that has joined once has joined for good.</summary>
    /// <param name="timeout">The maximum time to wait; 49 days or more means no limit.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="TimeoutException">The store has not joined in time. The message says why.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or is closing.</exception>
    public ValueTask WaitUntilJoinedAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ThrowIfClosing();
        return _joining.WaitAsync(_loop, timeout, cancellationToken);
    }

    /// <summary>
    /// Waits until the given number of members, including this one, have joined and are up. Before that, a save at
    /// <see cref="Consistency.All"/> is acknowledged only by the members that have joined.
    /// </summary>
    /// <param name="count">The number of members.</param>
    /// <param name="timeout">The maximum time to wait, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The count is not from 1 to 255, or the timeout is negative and not infinite.
    /// </exception>
    /// <exception cref="TimeoutException">Too few members have joined and are up within the timeout. The message lists them.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or was closed during the wait.</exception>
    public async ValueTask WaitForMembersAsync(int count, TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, byte.MaxValue);
        if (timeout != Timeout.InfiniteTimeSpan)
            ArgumentOutOfRangeException.ThrowIfLessThan(timeout, TimeSpan.Zero);
        using var deadline = new CancellationTokenSource(ReplicatedStoreOptions.ToTimer(timeout), _node.TimeProvider);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            await _parts.Waiters.WaitAsync(() => IsJoinedBy(count), linked.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            var up = Members.Where(static member => member.IsUp).Select(static member => member.NodeId).Order();
            throw new TimeoutException(
                $"Fewer than {count} members have joined and are up after {timeout.TotalSeconds:0.###} s: "
                    + (_joining.IsJoined ? $"only nodes {string.Join(", ", up)}" : "not even this node")
                    + ". Start the other nodes, and open the store of each: AddDatacake does, and so does a context or OpenStoreAsync.");
        }

        bool IsJoinedBy(int wanted) => _joining.IsJoined && Members.Count(static member => member.IsUp) >= wanted;
    }

    /// <summary>
    /// Gets the reason why the store is no longer part of its cluster and accepts no writes: it was retired, or its files were copied. Null
    /// if it is part of its cluster.
    /// </summary>
    public string? Exclusion => _replica.Exclusion?.Reason;

    /// <summary>
    /// Gets the error with which the storage refuses the writes of this store, for example because the disk is full; null if it accepts
    /// them. The store can still be read.
    /// </summary>
    public Exception? StorageFailure => _loop.StorageFailure;

    /// <summary>
    /// Gets the number of stored records that were found damaged and are not repaired yet. Until they are repaired, reads of them fail, and
    /// the node sends no data to other nodes.
    /// </summary>
    public int DamagedRecords => _parts.Context.Damages.Count;

    /// <summary>
    /// Reads and checks everything that is stored, and recomputes counts, fingerprints and indexes, while reads and writes continue. What
    /// is found wrong is repaired in the background where that is possible.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read, or its structure is damaged.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or is closing.</exception>
    public async ValueTask<StoreVerification> VerifyAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfClosing();
        var views = _replica.Catalog.Views;
        using var snapshot = await _parts.Disk.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var verifier = new StoreVerifier(snapshot, _replica.Catalog, ReferenceEquals(views, _replica.Catalog.Views) ? views : views.Clear(), _parts.Context.Damages);
        await verifier.RunAsync(cancellationToken).ConfigureAwait(false);
        if (verifier.Miscounted.Count > 0)
        {
            await _loop.RunInReserveAsync((batch, _) =>
            {
                _replica.RepairKeyspaces(batch, verifier.Miscounted);
                return new ValueTask<bool>(true);
            }, cancellationToken).ConfigureAwait(false);
        }
        return new StoreVerification(verifier.Records, verifier.Documents, verifier.Findings, [.. _replica.Differing.Order()]);
    }

    /// <summary>
    /// Returns what a consistency level requires of the present members, and whether the members that are up can satisfy it.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such level.</exception>
    public ConsistencyRequirement RequirementOf(Consistency level) =>
        level == Consistency.Serial ? _parts.Sequencing.Requirement : _membership.Current.RequirementOf(level);

    /// <summary>
    /// Gets the members that know the same transactions as this store but show something else; empty unless one of the stores is damaged.
    /// </summary>
    public IReadOnlyCollection<byte> DifferingMembers => _replica.Differing;

    /// <summary>
    /// Gets the full reconcile that is held back, because it would remove more documents than
    /// <see cref="ReplicatedStoreOptions.MaxRemovedByReconcile"/>; null if there is none.
    /// </summary>
    public HeldRemoval? HeldRemoval => _replica.HeldRemoval;

    /// <summary>
    /// Allows the reconcile that is held back. Call it if the documents were indeed deleted while this node was forgotten; they are then
    /// removed here, too. Does nothing if no reconcile is held back.
    /// </summary>
    public async ValueTask AllowRemovalAsync(CancellationToken cancellationToken = default) =>
        await _loop.RunInReserveAsync((_, _) =>
        {
            _replica.AllowRemoval();
            return ValueTask.FromResult(true);
        }, cancellationToken).ConfigureAwait(false);

    /// <summary>Returns the identity of the cluster, the store by which a node is known, if it is, and whether another store is retired.</summary>
    internal ValueTask<(ulong Cluster, ulong? Current, bool IsRetired)> FindStoreAsync(byte nodeId, ulong storeId, CancellationToken cancellationToken) => _loop.RunInReserveAsync(
        (_, _) => ValueTask.FromResult((
            _replica.Identity.Cluster,
            nodeId == _node.Id ? _replica.Identity.StoreId : Replication.Members.StoreOf(_replica.Identity.Members, nodeId),
            _replica.Identity.Retired.Contains(storeId))),
        cancellationToken);

    /// <summary>
    /// Stops waiting for an absent member before deleted data is discarded, until that member comes back. The member then takes over in
    /// full what it missed, and loses nothing of its own.
    /// </summary>
    /// <exception cref="ArgumentException">The node is this node, or is not a member.</exception>
    /// <exception cref="InvalidOperationException">A session with the member is open.</exception>
    public async ValueTask ForgetAsync(byte nodeId, CancellationToken cancellationToken = default) =>
        await _loop.RunInReserveAsync((_, _) =>
        {
            _replica.Forget(nodeId);
            return ValueTask.FromResult(true);
        }, cancellationToken).ConfigureAwait(false);

    /// <summary>Removes a member for good, on all nodes: its store is never admitted again, and counts for no consistency level.</summary>
    /// <exception cref="ArgumentException">The node is this node, or is not a member.</exception>
    /// <exception cref="InvalidOperationException">
    /// The node has operator keys, so the operator's private key is needed; or this store is itself no longer part of the cluster.
    /// </exception>
    public ValueTask RetireAsync(byte nodeId, CancellationToken cancellationToken = default) => RetireAsync(nodeId, proof: default, "without an operator key", cancellationToken);

    /// <summary>Removes a member for good, as <see cref="RetireAsync(byte, CancellationToken)"/> does.</summary>
    /// <param name="nodeId">The node id of the member.</param>
    /// <param name="mayRun">True if the member may be running; false to refuse that.</param>
    /// <param name="cancellationToken">Cancels the wait for the store's writer.</param>
    /// <exception cref="ArgumentException">The node is this node, or is not a member.</exception>
    /// <exception cref="InvalidOperationException">A session with the member is open; or the node has operator keys, so the operator's private key is needed.</exception>
    internal ValueTask RetireAsync(byte nodeId, bool mayRun, CancellationToken cancellationToken) =>
        RetireAsync(nodeId, proof: default, "without an operator key", cancellationToken, mayRun);

    /// <summary>
    /// Removes a member for good, on all nodes, with the private key of an operator: its store is never admitted again, and counts for no
    /// consistency level. The proof, which is a signature of the cluster and the store, is sent to the other nodes together with the
    /// retirement. The key is not.
    /// </summary>
    /// <param name="nodeId">The node id of the member.</param>
    /// <param name="operatorKey">
    /// The private key that belongs to one of the public keys that all nodes have (<see cref="DatacakeNodeOptions.WithOperatorKeys"/>).
    /// </param>
    /// <param name="cancellationToken">Cancels the wait for the store's writer.</param>
    /// <exception cref="ArgumentException">
    /// The node is this node, or is not a member; or the key has no private part, or is not one that this node accepts.
    /// </exception>
    /// <exception cref="InvalidOperationException">The node has no operator keys, or has not met its cluster yet.</exception>
    public async ValueTask RetireAsync(byte nodeId, ECDsa operatorKey, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(operatorKey);
        var (cluster, store) = await _loop.RunInReserveAsync((_, _) => ValueTask.FromResult(_replica.OrderToRetire(nodeId)), cancellationToken).ConfigureAwait(false);
        byte[] proof = OperatorKeys.Sign(operatorKey, cluster, store);
        string fingerprint = Convert.ToHexString(SHA256.HashData(operatorKey.ExportSubjectPublicKeyInfo()).AsSpan(0, 8));
        await RetireAsync(nodeId, proof, $"with the operator key whose SHA-256 hash begins with {fingerprint}", cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// Signs the retirements that have no proof that the current operator keys confirm: those made before the keys were set, and those
    /// signed with a key that is no longer accepted. Nodes that join later believe only signed retirements. Call it once, at one node,
    /// after the keys were set or changed on all nodes.
    /// </summary>
    /// <param name="operatorKey">The private key that belongs to one of the public keys that all nodes have.</param>
    /// <param name="cancellationToken">Cancels the wait for the store's writer.</param>
    /// <returns>The number of retirements that were signed.</returns>
    /// <exception cref="ArgumentException">The key has no private part, or is not one that this node accepts.</exception>
    /// <exception cref="InvalidOperationException">The node has no operator keys, or has not met its cluster yet.</exception>
    public async ValueTask<int> SignRetirementsAsync(ECDsa operatorKey, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(operatorKey);
        var (cluster, stores) = await _loop.RunInReserveAsync((_, _) => ValueTask.FromResult(_replica.OrderToSign()), cancellationToken).ConfigureAwait(false);
        var proofs = stores.ToDictionary(static store => store, store => (ReadOnlyMemory<byte>)OperatorKeys.Sign(operatorKey, cluster, store));
        return await _loop.RunInReserveAsync((_, _) =>
        {
            _replica.Sign(proofs);
            return ValueTask.FromResult(proofs.Count);
        }, cancellationToken).ConfigureAwait(false);
    }

    async ValueTask RetireAsync(byte nodeId, ReadOnlyMemory<byte> proof, string how, CancellationToken cancellationToken, bool mayRun = true)
    {
        await _loop.RunInReserveAsync((_, _) =>
        {
            if (_replica.Exclusion is { } exclusion)
            {
                throw new InvalidOperationException(
                    $"Node {nodeId} was not retired, because node {_node.Id} cannot decide that: its own store is no longer part of the cluster: {exclusion.Reason}. Retire node {nodeId} at a node that is still a member.");
            }
            if (!mayRun && _replica.Sessions.ContainsKey(nodeId))
            {
                throw new InvalidOperationException(
                    $"Node {nodeId} was not retired, because it is running: node {_node.Id} has a session with it. Check the number. Once retired, a store is refused for good. "
                        + $"Stop node {nodeId} first; if its machine is gone, wait until it is seen as down; or say that it is meant although it is running (--running).");
            }
            _replica.Retire(nodeId, proof);
            return ValueTask.FromResult(true);
        }, cancellationToken).ConfigureAwait(false);
        StoreLog.Retired(_node.LoggerFactory.CreateLogger(_parts.Context.Host.LogCategory), nodeId, _node.Id, how);
    }

    /// <summary>
    /// Stops accepting reads and writes, waits for at most <see cref="ReplicatedStoreOptions.StopTimeout"/> until the peers in session have
    /// everything that this node has written, and closes the sessions. The storage stays open.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        lock (_disposeLock)
            return new ValueTask(_disposed ??= StopAsync());
    }

    internal static async ValueTask<ReplicatedStore> OpenAsync(
        StoreHost host, IStorage storage, ReplicatedStoreOptions options, CancellationToken cancellationToken)
    {
        var node = host.Node;
        options.Validate();
        if (options.TakeOverNodeId && node.OperatorKeys.Count > 0)
        {
            throw new ArgumentException(
                $"{nameof(ReplicatedStoreOptions)}.{nameof(ReplicatedStoreOptions.TakeOverNodeId)} is not supported on a node that has operator keys, because only "
                    + "an operator's private key can retire the store that has the node id. "
                    + $"Remove the setting, and call {nameof(RetireAsync)} with the private key at another node.");
        }
        if (storage is not IDurableStorage && node.OperatorKeys.Count > 0)
        {
            throw new ArgumentException(
                "In-memory storage is not supported on a node that has operator keys, because after each restart an operator would have to retire the previous store. "
                    + "Use durable storage, or remove the operator keys.");
        }
        var damages = new DamageLog();
        var given = storage;
        bool isDurable = storage is IDurableStorage;
        var disk = isDurable ? new ChecksummedStorage(storage, damages) : storage;
        storage = isDurable ? CachedStorage.Over(disk, options.MaxCacheLength) : storage;
        var settings = new ReplicaSettings(node.ClusterId, node.DataCenter, RandomId(), RandomId(), node.TimeProvider)
        {
            MaxDocumentLength = options.MaxDocumentLength,
            MaxRemoved = options.MaxRemovedByReconcile,
            MaxClockDifference = node.MaxClockDifference,
            IsVolatile = !isDurable,
            TakesOver = options.TakeOverNodeId,
            FollowedKeyspaces = options.IsFollower ? [.. options.FollowedKeyspaces.Order(StringComparer.Ordinal)] : null,
            Authority = node.OperatorKeys.Count > 0 ? new OperatorKeys(node.OperatorKeys) : null,
            Delay = async (time, token) => await Task.Delay(time, node.TimeProvider, token).ConfigureAwait(false),
        };
        if (options.AcceptStampsUpTo is { } accepted)
            node.Clock.AcceptUpTo(accepted);
        using var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false);
        var (replica, batch) = await Replica.OpenAsync(settings, node.Clock, storage, snapshot, cancellationToken).ConfigureAwait(false);
        damages.Catalog = replica.Catalog;
        var logger = node.LoggerFactory.CreateLogger(host.LogCategory);
        foreach (var declaration in options.Declarations)
            await KeyspaceDeclarer.DeclareAsync(replica, batch, declaration, logger, cancellationToken).ConfigureAwait(false);
        StorageException? failure = null;
        try
        {
            var write = replica.Prepare(batch).Batch;
            // The batch is small, and a full store must be opened before anything can be deleted from it.
            write.MayUseReserve = true;
            await storage.CommitAsync(write, Durability.Flushed, cancellationToken).ConfigureAwait(false);
            replica.Complete(batch);
        }
        catch (StorageException e) when (e.Error == StorageError.Full && replica.IsJoined)
        {
            // The store can be read. Once there is space, the run is written before anything is written in it.
            failure = e;
        }
        var log = await SequenceLog.LoadAsync(snapshot, cancellationToken).ConfigureAwait(false);
        var sequencer = new Sequencer(StoreSequencing.SettingsOf(host, options), replica, log);
        return new ReplicatedStore(StoreParts.Start(host, disk, storage, damages, options, replica, sequencer, failure), given);
    }

    async Task StopAsync()
    {
        _isClosing = true;
        if (_remoteService is not null)
            _node.Server.RemoveService(_remoteService.Name);
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        Leases.Close();
        await _parts.DisposeAsync().ConfigureAwait(false);
        await Leases.DisposeAsync().ConfigureAwait(false);
    }

    void ThrowIfClosing()
    {
        if (_isClosing)
            throw CommitLoop.Closed();
    }

    ValueTask WaitUntilJoinedAsync(CancellationToken cancellationToken) => WaitUntilJoinedAsync(_options.JoinTimeout, cancellationToken);

    static ulong RandomId() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
}
