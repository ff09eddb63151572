using Datacake.Crdt;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Consumers;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Following;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>
/// The periodic work of a store: reports to its peers, checks the members, discards what all members have, and builds indexes. Work that
/// takes several steps continues without a pause, with other work in between.
/// </summary>
/// <remarks>See PROTOCOL.md: tick.</remarks>
sealed class StoreTicker : IAsyncDisposable
{
    /// <summary>
    /// The age up to which transactions are not truncated, because mutations with lower stamps may still be on their way and would have to
    /// be declined.
    /// </summary>
    static readonly TimeSpan CollectDelay = TimeSpan.FromSeconds(1);

    /// <summary>The number of ticks in a row at which nothing has happened after which a named store rests. By then its peers have been told what it knows.</summary>
    const int TicksUntilRest = 20;

    /// <summary>The longest pause of a store that rests, in intervals.</summary>
    const int MaxRest = 120;

    /// <summary>The number of ticks between searches for keyspaces that have nothing left.</summary>
    const int TicksBetweenRemovals = 60;

    /// <summary>The number of ticks between counts of the log that is kept for consumers.</summary>
    const int TicksBetweenCounts = 60;

    readonly DatacakeNode _node;
    readonly StoreHost _host;
    readonly Replica _replica;
    readonly CommitLoop _loop;
    readonly PeerLinks _links;
    readonly CurrentMembership _membership;
    readonly StoreJoining _joining;
    readonly StoreNetwork? _network;
    readonly StoreRepairer _repairer;
    readonly FollowerPresence _followers;
    readonly StoreActivity _activity;
    readonly ReplicatedStoreOptions _options;
    readonly TimeSpan _interval;
    readonly ILogger _logger;
    readonly CancellationTokenSource _stopping = new();
    readonly Task _running;

    // Samples of the cluster's clock rather than of the wall clock: stamps may lead the wall clock for a long time, and their transactions
    // must be truncated nevertheless.
    HlcTimestamp _settled;              // everything below is older than the delay
    HlcTimestamp _sampled;
    HlcTimestamp _counted;              // no log is kept for consumers and followers up to here, because it has too many records above
    long _sampledAt;
    int _ticks;
    volatile int _seen;                 // the activity at the last tick
    volatile bool _isAtRest;            // as of the last tick
    volatile int _quietTicks;           // the ticks in a row at which nothing had happened
    ulong _reportedRetired;             // the digest of the retired stores that gossip was told
    IReadOnlyCollection<byte> _reportedDiffering = [];
    HeldRemoval? _reportedHeld;

    public StoreTicker(
        SessionContext context, CurrentMembership membership, StoreJoining joining, StoreNetwork? network, StoreRepairer repairer, FollowerPresence followers,
        StoreActivity activity, ReplicatedStoreOptions options)
    {
        _host = context.Host;
        _node = context.Node;
        _replica = context.Replica;
        _loop = context.Loop;
        _links = context.Links;
        _logger = context.Logger;
        _membership = membership;
        _joining = joining;
        _network = network;
        _repairer = repairer;
        _followers = followers;
        _activity = activity;
        _options = options;
        _interval = options.ReportInterval;
        _running = Task.Run(RunAsync);
    }

    /// <summary>True if the pauses between the ticks are longer than the interval, because nothing happens.</summary>
    public bool IsResting => _quietTicks > TicksUntilRest && _activity.Count == _seen;

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _running.ConfigureAwait(false);
        _stopping.Dispose();
    }

    async Task RunAsync()
    {
        bool hasMore = false;
        var pause = _joining.IsDueAtOnce ? TimeSpan.Zero : _interval;
        long ticked = _node.TimeProvider.GetTimestamp();
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                if (!hasMore)
                    await PauseAsync(pause).ConfigureAwait(false);
                pause = NextPause();
                // Work that takes several steps continues at once, which must neither bring forward the next report nor make a waiting pull
                // count as lost.
                bool isDue = !hasMore || _node.TimeProvider.GetElapsedTime(ticked) >= _interval;
                if (isDue)
                    ticked = _node.TimeProvider.GetTimestamp();
                hasMore = false;
                // Two work items, usually in one batch: if the storage is full, deleted data is still collected, but no index is built.
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
                // The commit loop has logged it. Indexes are built once there is space.
            }
            catch (Exception e)
            {
                // Whatever the failure is, the replica must keep telling its peers what it knows, and retry.
                StoreLog.TickFailed(_logger, e, _node.Id);
            }
        }
    }

    /// <summary>Waits for a time, which news cuts short if it is longer than the interval.</summary>
    async ValueTask PauseAsync(TimeSpan pause)
    {
        if (pause > _interval)
            await _activity.WaitAsync(_seen, pause - _interval, _stopping.Token).ConfigureAwait(false);
        await Task.Delay(pause > _interval ? _interval : pause, _node.TimeProvider, _stopping.Token).ConfigureAwait(false);
    }

    /// <summary>Returns the pause after the tick that is due now: the interval, or longer if the store rests.</summary>
    TimeSpan NextPause()
    {
        int seen = _activity.Count;
        _quietTicks = (_host.IsNamed || _options.IsFollower) && seen == _seen && _isAtRest ? _quietTicks + 1 : 0;
        _seen = seen;
        int doublings = Math.Clamp(_quietTicks - TicksUntilRest, 0, 16);
        return _interval * Math.Min(1 << doublings, MaxRest);
    }

    /// <summary>
    /// Collects what all members have, and does the work of a tick if one is due. Called on the commit loop. Returns true if there is more
    /// to do at once.
    /// </summary>
    async ValueTask<bool> CollectAsync(ReplicaBatch batch, bool isTick, CancellationToken cancellationToken)
    {
        if (isTick)
            Tick(batch);
        if (_node.TimeProvider.GetElapsedTime(_sampledAt) >= CollectDelay)
            (_settled, _sampled, _sampledAt) = (_sampled, _node.Clock.Last, _node.TimeProvider.GetTimestamp());
        bool hasFollowers = _replica.IsJoined && await _followers.WasWithinAsync(_options.FollowerRetention, batch, cancellationToken).ConfigureAwait(false);
        var processed = await ConsumerPositions.ReadProcessedAsync(batch.Snapshot, _replica.Catalog, cancellationToken).ConfigureAwait(false);
        if (hasFollowers || processed is not null)
            await CountLogAsync(batch.Snapshot, isTick, cancellationToken).ConfigureAwait(false);
        var upTo = hasFollowers ? HlcTimestamp.Min(_settled, KeptFrom(_options.FollowerRetention)) : _settled;
        var hold = processed is null ? null : new LogHold(processed, KeptFrom(_options.ConsumerRetention));
        bool hasMore = await _replica.CollectAsync(batch, upTo, hold).ConfigureAwait(false);
        if (isTick && ++_ticks % TicksBetweenRemovals == 0)
            await KeyspaceRemoval.RemoveAsync(_replica, batch, cancellationToken).ConfigureAwait(false);
        return hasMore;
    }

    /// <summary>Counts the log records from time to time, so that no more than the options allow are kept for consumers and followers.</summary>
    async ValueTask CountLogAsync(IStorageSnapshot snapshot, bool isTick, CancellationToken cancellationToken)
    {
        if (isTick && _ticks % TicksBetweenCounts == 0
            && await snapshot.SkipAsync(StoreLayout.AllLog, ScanDirection.Reverse, _options.MaxConsumerRecords, cancellationToken).ConfigureAwait(false) is { } key)
        {
            _counted = StoreLayout.StampOfLogKey(key.Span);
        }
    }

    /// <summary>Returns the stamp up to which no log is kept by age or by number. The age is that of the cluster's clock, like that of the stamps.</summary>
    HlcTimestamp KeptFrom(TimeSpan retention) => HlcTimestamp.Max(_counted, HlcTimestamp.AtEndOf(_node.Clock.Last.Time - retention));

    /// <summary>Builds and removes parts of indexes. Called on the commit loop. Returns true if there is more to do at once.</summary>
    ValueTask<bool> BuildIndexesAsync(ReplicaBatch batch, CancellationToken cancellationToken) =>
        IndexFiller.StepAsync(batch, _replica.Catalog, _loop.StorageFailure, _logger, cancellationToken);

    /// <summary>Tells gossip which stores are retired: of two nodes with the same id, the one whose store is retired gives way.</summary>
    void TellGossip()
    {
        var retired = _replica.Identity.Retired;
        if (retired.Digest == _reportedRetired)
            return;
        _reportedRetired = retired.Digest;
        _host.PublishRetired(new HashSet<ulong>(_replica.CertainlyRetired));
    }

    /// <summary>
    /// Logs the members that differ. If replicas differ, one of them is damaged, and neither can know which: the operator must be told,
    /// although the difference is merged.
    /// </summary>
    void LogDiffering()
    {
        var differing = _replica.Differing;
        if (ReferenceEquals(differing, _reportedDiffering))
            return;
        _reportedDiffering = differing;
        if (differing.Count > 0)
            StoreLog.Differs(_logger, _node.Id, string.Join(", ", differing.Order()));
        else
            StoreLog.DiffersNoLonger(_logger, _node.Id);
    }

    /// <summary>
    /// Logs that a reconcile is held back. A member that says that documents were deleted may be faulty, so the operator must be told.
    /// </summary>
    void LogHeldRemoval()
    {
        var held = _replica.HeldRemoval;
        if (held == _reportedHeld)
            return;
        _reportedHeld = held;
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
        _network?.EndSilentSessions();
        _membership.RefreshFromGossip();
        foreach (var link in _links.All)
        {
            if (link.TakeAnswerBytes())
                _replica.OnPullProgress(link.Peer);
        }
        _repairer.Start();
        _replica.Tick(batch);
        _isAtRest = _replica.IsAtRest;
    }
}
