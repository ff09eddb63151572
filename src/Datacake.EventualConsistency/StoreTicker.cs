using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>
/// What a store does of itself from time to time: reports to its peers, looks at the members, forgets what all have, builds indexes. What takes several
/// steps goes on at once, other work coming between.
/// </summary>
sealed class StoreTicker : IAsyncDisposable
{
    /// <summary>Transactions that are newer are not truncated yet: mutations with lower stamps may be on their way, and would have to be declined.</summary>
    static readonly TimeSpan CollectDelay = TimeSpan.FromSeconds(1);

    /// <summary>So many ticks pass before keyspaces are looked for again that have nothing left.</summary>
    const int TicksBetweenRemovals = 60;

    readonly DatacakeNode _node;
    readonly Replica _replica;
    readonly CommitLoop _loop;
    readonly PeerLinks _links;
    readonly CurrentMembership _membership;
    readonly StoreJoining _joining;
    readonly StoreNetwork _network;
    readonly StoreMender _mender;
    readonly TimeSpan _interval;
    readonly ILogger _logger;
    readonly CancellationTokenSource _stopping = new();
    readonly Task _running;

    // The cluster's clock now and then, rather than the wall clock of so long ago: stamps may lead the wall clock for long, and are forgotten all the same.
    HlcTimestamp _settled;              // below it all is older than the delay
    HlcTimestamp _sampled;
    long _sampledAt;
    int _ticks;
    ulong _toldRetired;                 // the digest of the retired stores that gossip knows of
    IReadOnlyCollection<byte> _toldDiffering = [];
    HeldRemoval? _toldHeld;

    public StoreTicker(SessionContext context, CurrentMembership membership, StoreJoining joining, StoreNetwork network, StoreMender mender, TimeSpan interval)
    {
        _node = context.Node;
        _replica = context.Replica;
        _loop = context.Loop;
        _links = context.Links;
        _logger = context.Logger;
        _membership = membership;
        _joining = joining;
        _network = network;
        _mender = mender;
        _interval = interval;
        _running = Task.Run(RunAsync);
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stopping.Dispose();
    }

    async Task RunAsync()
    {
        bool hasMore = false;
        long ticked = _node.TimeProvider.GetTimestamp();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (!hasMore)
                    await Task.Delay(_interval, _node.TimeProvider, _stopping.Token).ConfigureAwait(false);
                // What takes several steps goes on at once; but a report is due no sooner for it, nor does a pull that waits count as lost.
                bool isDue = !hasMore || _node.TimeProvider.GetElapsedTime(ticked) >= _interval;
                if (isDue)
                    ticked = _node.TimeProvider.GetTimestamp();
                hasMore = false;
                // Two parts of one batch: where the storage is full, what is deleted is still collected, and no index is built.
                var collecting = _loop.RunInReserveAsync((batch, token) => CollectAsync(batch, isDue, token), _stopping.Token).AsTask();
                var building = _loop.RunAsync(BuildIndexesAsync, _stopping.Token).AsTask();
                hasMore = (await Task.WhenAll(collecting, building).ConfigureAwait(false)).Contains(true);
            }
            catch (OperationCanceledException) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (StorageException e) when (e.Error == StorageError.Full)
            {
                // The commit loop has logged it; indexes are built once there is room.
            }
            catch (Exception e)
            {
                // Whatever it is, the replica has to go on telling its peers what it knows, and try again.
                StoreLog.TickFailed(_logger, e, _node.Id);
            }
        }
    }

    /// <summary>On the commit loop. Whether there is more to do at once.</summary>
    async ValueTask<bool> CollectAsync(ReplicaBatch batch, bool isTick, CancellationToken cancellationToken)
    {
        if (isTick)
            Tick(batch);
        if (_node.TimeProvider.GetElapsedTime(_sampledAt) >= CollectDelay)
            (_settled, _sampled, _sampledAt) = (_sampled, _node.Clock.Last, _node.TimeProvider.GetTimestamp());
        bool hasMore = await _replica.CollectAsync(batch, _settled).ConfigureAwait(false);
        if (isTick && ++_ticks % TicksBetweenRemovals == 0)
            await KeyspaceRemoval.RemoveAsync(_replica, batch, cancellationToken).ConfigureAwait(false);
        return hasMore;
    }

    /// <summary>On the commit loop. Whether there is more to do at once.</summary>
    async ValueTask<bool> BuildIndexesAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        // Of a storage that was full it is found out here whether it has room again.
        batch.MustWriteState |= _loop.StorageFailure is StorageException { Error: StorageError.Full };
        bool hasMore = false;
        foreach (var keyspace in _replica.Catalog.All)
        {
            hasMore |= await IndexBuilding.BuildAsync(batch, keyspace, _logger, cancellationToken).ConfigureAwait(false);
            hasMore |= await IndexBuilding.RemoveDroppedAsync(batch, keyspace, cancellationToken).ConfigureAwait(false);
        }
        return hasMore;
    }

    /// <summary>Gossip has to know which stores are retired: of two nodes with one id, the one with a retired store gives way.</summary>
    void TellGossip()
    {
        var retired = _replica.Identity.Retired;
        if (retired.Digest == _toldRetired)
            return;
        _toldRetired = retired.Digest;
        _node.SetRetiredStores(new HashSet<ulong>(_replica.CertainlyRetired));
    }

    /// <summary>Of replicas that differ, one is damaged, and neither can know which: the operator has to hear of it, though it is healed.</summary>
    void LogDiffering()
    {
        var differing = _replica.Differing;
        if (ReferenceEquals(differing, _toldDiffering))
            return;
        _toldDiffering = differing;
        if (differing.Count > 0)
            StoreLog.Differs(_logger, _node.Id, string.Join(", ", differing.Order()));
        else
            StoreLog.DiffersNoLonger(_logger, _node.Id);
    }

    /// <summary>A member that says that all was deleted may be faulty: the operator has to hear of it.</summary>
    void LogHeldRemoval()
    {
        var held = _replica.HeldRemoval;
        if (held == _toldHeld)
            return;
        _toldHeld = held;
        if (held is not null)
            StoreLog.RemovalHeld(_logger, _node.Id, held.NodeId, held.Documents);
        else
            StoreLog.RemovalNotHeld(_logger, _node.Id);
    }

    void Tick(ReplicaBatch batch)
    {
        _joining.Tick();
        TellGossip();
        LogDiffering();
        LogHeldRemoval();
        _network.EndSilentSessions();
        _membership.RefreshFromGossip();
        foreach (var link in _links.All)
        {
            if (link.TakeAnswerBytes())
                _replica.OnPullProgress(link.Peer);
        }
        _mender.Start();
        _replica.Tick(batch);
    }
}
