using System.Security.Cryptography;
using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Caching;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Reading;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Watching;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>
/// The replica of one node: keyspaces of documents that it stores locally and shares with the other nodes.
/// Thread-safe.
/// </summary>
public sealed partial class ReplicatedStore : IAsyncDisposable
{
    static readonly TimeSpan CollectDelay = TimeSpan.FromSeconds(1);

    readonly DatacakeNode _node;
    readonly IStorage _storage;
    readonly ReplicatedStoreOptions _options;
    readonly Replica _replica;
    readonly CommitLoop _loop;
    readonly AcknowledgementBoard _board;
    readonly ClusterJoining _joining;
    readonly ILogger _logger;
    readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly CancellationTokenSource _stopping = new();
    readonly Lock _disposeLock = new();
    readonly CommitWaiters _waiters = new();
    readonly StoreMetrics _metrics;
    volatile StoreMembership _membership;           // replaced on the commit loop
    PeerLinks? _links;
    Task _ticking = Task.CompletedTask;
    Task? _disposed;

    ReplicatedStore(DatacakeNode node, IStorage storage, ReplicatedStoreOptions options, Replica replica)
    {
        _node = node;
        _storage = storage;
        _options = options;
        _replica = replica;
        _logger = node.LoggerFactory.CreateLogger<ReplicatedStore>();
        _membership = StoreMembership.Of(replica, node);
        _watchers = new StoreWatchers(replica.Catalog);
        _board = new AcknowledgementBoard(replica, node.TimeProvider, options.AcknowledgementTimeout, FailuresOf);
        _loop = new CommitLoop(replica, storage, options, _logger, OnCommitted);
        _reads = new ReadService(replica, storage, _loop, _joined.Task);
        _joining = new ClusterJoining(node, replica);
        _metrics = new StoreMetrics(this, replica);
    }

    /// <summary>The node whose replica this is.</summary>
    public DatacakeNode Node => _node;

    /// <summary>The members whose replicas count for the consistency levels, by their node ids; the local one included.</summary>
    public IReadOnlyList<ConsistencyMember> Members => _membership.Members;

    /// <summary>Completes when the store is part of its cluster, and takes writes.</summary>
    public Task Joined => _joined.Task;

    /// <summary>A handle on a keyspace of raw documents.</summary>
    /// <exception cref="ArgumentException">The name is not one.</exception>
    public KeyspaceHandle Keyspace(string name)
    {
        KeyspaceCatalog.CheckArgument(name, nameof(name));
        return new KeyspaceHandle(this, name);
    }

    /// <summary>
    /// Tells the store about a keyspace before it is used: its policy and its indexes. An index of a large keyspace is built in the background, and
    /// goes on being built after a restart; one that this process does not declare is dropped with the next write to its keyspace.
    /// </summary>
    /// <exception cref="ArgumentException">The name is not one of a keyspace.</exception>
    /// <exception cref="StorageException">The storage refused it; nothing is changed.</exception>
    public async ValueTask DeclareAsync(KeyspaceDeclaration declaration, CancellationToken cancellationToken = default)
    {
        KeyspaceCatalog.CheckArgument(declaration.Name, nameof(declaration));
        await _loop.RunAsync(async (batch, token) =>
        {
            await KeyspaceDeclaring.DeclareAsync(_replica, batch, declaration, _logger, token).ConfigureAwait(false);
            return true;
        }, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The indexes of a keyspace that were declared, and how far they are built.</summary>
    public IReadOnlyList<IndexStatus> ListIndexes(string keyspace)
    {
        if (_replica.Catalog.Find(keyspace)?.State is not { } state)
            return [];
        return [.. state.Indexes.Select(index => state.IndexRecords[index.Number])
            .Select(record => new IndexStatus(record.Name, record.Stage == IndexStage.Built, record.Documents))];
    }

    /// <summary>Waits until all declared indexes of a keyspace are built.</summary>
    /// <exception cref="ObjectDisposedException">The store is closed, or was before they were.</exception>
    public ValueTask WaitForIndexesAsync(string keyspace, CancellationToken cancellationToken = default) =>
        _waiters.WaitAsync(() => ListIndexes(keyspace).All(index => index.IsBuilt), cancellationToken);

    /// <summary>Commits a transaction locally, and waits until as many other replicas have it as the level asks for.</summary>
    /// <exception cref="NotEnoughNodesException">The members that are up cannot satisfy the level; nothing was written.</exception>
    /// <exception cref="ConsistencyException">The level was not satisfied in time. The write stays, and goes on replicating.</exception>
    /// <exception cref="CommitCanceledException">The wait was cancelled after the local commit. The write stays, and goes on replicating.</exception>
    /// <exception cref="DocumentNotFoundException">An update names a document that the local store does not show; nothing was written.</exception>
    /// <exception cref="TransactionConflictException">A document is not as the transaction requires; nothing was written.</exception>
    /// <exception cref="ArgumentException">The transaction is empty or too large, or names a document twice; nothing was written.</exception>
    /// <exception cref="TimeoutException">The store has not joined its cluster yet; nothing was written.</exception>
    /// <exception cref="StorageException">The storage refused the write; nothing was written.</exception>
    public ValueTask<CommitResult> CommitAsync(Transaction transaction, Consistency consistency, CancellationToken cancellationToken = default)
    {
        if (!_joined.Task.IsCompletedSuccessfully)
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
        var requirement = _membership.RequirementOf(consistency);
        if (!requirement.IsReachable)
            throw new NotEnoughNodesException(requirement, _membership.Describe(_node));
        return _board.Start(transaction, requirement, cancellationToken);
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

    /// <summary>Opens a view of everything that is committed here.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    public ValueTask<StoreSnapshot> OpenSnapshotAsync(CancellationToken cancellationToken = default) =>
        StoreSnapshot.OpenAsync(_storage, _replica.Catalog, cancellationToken);

    /// <summary>Waits until this replica has the transaction that a token names.</summary>
    /// <exception cref="OperationCanceledException">It did not come before the cancellation.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed, or was before it came.</exception>
    public ValueTask WaitForAsync(SessionToken token, CancellationToken cancellationToken = default) =>
        _waiters.WaitAsync(() => _membership.Known.Contains(token.Stamp), cancellationToken);

    /// <summary>The names of the keyspaces that were ever written to or declared.</summary>
    public IReadOnlyList<string> ListKeyspaces() => [.. _replica.Catalog.All.Select(keyspace => keyspace.Name).Order(StringComparer.Ordinal)];

    /// <summary>
    /// No longer waits for an absent member before it forgets what was deleted, until that member comes back. It then takes over what it missed
    /// in full, and loses nothing of its own.
    /// </summary>
    public async ValueTask ForgetAsync(byte nodeId, CancellationToken cancellationToken = default) =>
        await _loop.RunAsync((_, _) =>
        {
            _replica.Forget(nodeId);
            return ValueTask.FromResult(true);
        }, cancellationToken).ConfigureAwait(false);

    /// <summary>Removes a member for good, everywhere: its store is never admitted again, and counts for no level.</summary>
    public async ValueTask RetireAsync(byte nodeId, CancellationToken cancellationToken = default) =>
        await _loop.RunAsync((_, _) =>
        {
            _replica.Retire(nodeId);
            return ValueTask.FromResult(true);
        }, cancellationToken).ConfigureAwait(false);

    /// <summary>Finishes the commit under way and closes the sessions. The storage stays open.</summary>
    public ValueTask DisposeAsync()
    {
        lock (_disposeLock)
            return new ValueTask(_disposed ??= StopAsync());
    }

    internal static async ValueTask<ReplicatedStore> OpenAsync(
        DatacakeNode node, IStorage storage, ReplicatedStoreOptions options, CancellationToken cancellationToken)
    {
        options.Validate();
        storage = CachedStorage.Over(storage, options.MaxCacheLength);
        var settings = new ReplicaSettings(node.ClusterId, node.DataCenter, RandomId(), RandomId(), node.TimeProvider)
        {
            MaxDocumentLength = options.MaxDocumentLength,
            Delay = async (time, token) => await Task.Delay(time, node.TimeProvider, token).ConfigureAwait(false),
        };
        Replica replica;
        using (var snapshot = await storage.OpenSnapshotAsync(cancellationToken).ConfigureAwait(false))
        {
            (replica, var batch) = await Replica.OpenAsync(settings, node.Clock, storage, snapshot, cancellationToken).ConfigureAwait(false);
            await storage.CommitAsync(replica.Prepare(batch).Batch, Durability.Flushed, cancellationToken).ConfigureAwait(false);
            replica.Complete(batch);
        }
        var store = new ReplicatedStore(node, storage, options, replica);
        store.Start();
        return store;
    }

    void Start()
    {
        StoreLog.Opened(_logger, _node.Id, _storage.Description, _replica.IsJoined ? "a member of its cluster" : "fresh, and about to join");
        _joinStatus = CurrentJoinStatus();
        if (_replica.IsJoined)
            _joined.TrySetResult();
        _links = new PeerLinks(_node, _replica, _storage, _loop, _board, _logger);
        _links.Start();
        _node.Server.AddService(_reads);
        _ticking = Task.Run(TickAsync);
    }

    async Task StopAsync()
    {
        await Task.Yield();
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _ticking.ConfigureAwait(false);
        _node.Server.RemoveService(ReadService.ServiceName);
        if (_links is not null)
            await _links.DisposeAsync().ConfigureAwait(false);
        await _loop.DisposeAsync().ConfigureAwait(false);
        _board.Close();
        _joined.TrySetException(new ObjectDisposedException(nameof(ReplicatedStore)));
        _ = _joined.Task.Exception;
        _watchers.Close();
        _waiters.Close();
        _metrics.Dispose();
        _stopping.Dispose();
    }

    async Task TickAsync()
    {
        bool hasMore = false;
        long ticked = _node.TimeProvider.GetTimestamp();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (!hasMore)
                    await Task.Delay(_options.ReportInterval, _node.TimeProvider, _stopping.Token).ConfigureAwait(false);
                // What takes several steps goes on at once; but a report is due no sooner for it, nor does a pull that waits count as lost.
                bool isDue = !hasMore || _node.TimeProvider.GetElapsedTime(ticked) >= _options.ReportInterval;
                if (isDue)
                    ticked = _node.TimeProvider.GetTimestamp();
                hasMore = false;
                hasMore = await _loop.RunAsync((batch, token) => StepAsync(batch, isDue, token), _stopping.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // Whatever it is, the replica has to go on telling its peers what it knows, and try again.
                StoreLog.TickFailed(_logger, e, _node.Id);
            }
        }
    }

    /// <summary>On the commit loop. Whether there is more to do at once.</summary>
    async ValueTask<bool> StepAsync(ReplicaBatch batch, bool isTick, CancellationToken cancellationToken)
    {
        if (isTick)
        {
            if (!_replica.IsJoined)
                TickJoining();
            _replica.Tick(batch);
        }
        // What is very new is left alone, for mutations with lower stamps may be on their way, and would have to be declined.
        var now = _node.TimeProvider.GetUtcNow() - CollectDelay;
        bool hasMore = await _replica.CollectAsync(batch, HlcTimestamp.AtEndOf(now)).ConfigureAwait(false);
        foreach (var keyspace in _replica.Catalog.All)
        {
            hasMore |= await IndexBuilding.BuildAsync(batch, keyspace, _logger, cancellationToken).ConfigureAwait(false);
            hasMore |= await IndexBuilding.RemoveDroppedAsync(batch, keyspace, cancellationToken).ConfigureAwait(false);
        }
        return hasMore;
    }

    /// <summary>On the commit loop, after each commit.</summary>
    void OnCommitted(ReplicaBatch batch)
    {
        _membership = _membership.Refresh(_replica, _node);
        _metrics.Committed(batch);
        if (!_joined.Task.IsCompleted)
            RefreshJoinStatus();
        _links?.Dispatch(batch);
        _watchers.Publish(batch);
        if (batch.HasPulled && _replica.IsJoined)
            _links?.Broadcast(_replica.Report(batch));
        _waiters.Release();
    }

    async ValueTask WaitUntilJoinedAsync(CancellationToken cancellationToken)
    {
        if (_joined.Task.IsCompletedSuccessfully)
            return;
        try
        {
            await _joined.Task.WaitAsync(_options.JoinTimeout, _node.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            string reason = await _loop.RunAsync((_, _) => ValueTask.FromResult(_joining.Describe()), cancellationToken).ConfigureAwait(false);
            throw new TimeoutException(
                $"Node {_node.Id} cannot write yet: its store is fresh and within {_options.JoinTimeout.TotalSeconds:0.###} s has not joined its cluster, for {reason}");
        }
    }

    List<ConsistencyFailure> FailuresOf(LocalCommit commit) =>
        [.. _membership.Members.Where(member => !commit.Acknowledged.Contains(member.NodeId) && member.NodeId != _node.Id)
            .Select(member => new ConsistencyFailure(member.NodeId, member.IsUp ? "no acknowledgement came in time" : "it is not connected"))];

    static ulong RandomId() => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));
}
