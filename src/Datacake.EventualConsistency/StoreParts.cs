using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Integrity;
using Datacake.EventualConsistency.Joining;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Watching;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency;

/// <summary>The running parts of a store, created in the order of their dependencies.</summary>
sealed class StoreParts : IAsyncDisposable
{
    readonly CancellationTokenSource _stopping;
    readonly StoreNetwork _network;
    readonly StoreRepairer _repairer;
    readonly StoreScrubber? _scrubber;
    readonly StoreTicker _ticker;
    readonly StoreMetrics _metrics;
    readonly HolderInquiry? _inquiry;

    StoreParts(
        StoreHost host, IStorage disk, IStorage storage, DamageLog damages, ReplicatedStoreOptions options, Replica replica, Sequencer sequencer, StorageException? failure)
    {
        Disk = disk;
        var node = host.Node;
        var logger = node.LoggerFactory.CreateLogger(host.LogCategory);
        StoreLog.Opened(logger, node.Id, storage.Description, replica.IsJoined ? "a member of its cluster" : "fresh and about to join");
        host.PublishIdentity(replica.Identity.StoreId);
        _stopping = new CancellationTokenSource();
        Options = options;
        Waiters = new CommitWaiters();
        Watchers = new StoreWatchers(replica.Catalog);
        if (host.IsNamed && !replica.IsJoined)
            _inquiry = new HolderInquiry(host, () => replica.IsJoined, _stopping.Token);
        Joining = new StoreJoining(host, _inquiry, replica, options, Waiters, logger);
        var links = new PeerLinks();
        var conditions = new PeerConditions(node.TimeProvider, peer => host.Find(peer)?.Address, logger);
        Membership = new CurrentMembership(host, replica, conditions, options.ExpectedNodes);
        _metrics = new StoreMetrics(host, replica, sequencer, links, Joining, damages);
        Sequencing = new StoreSequencing(node, replica, sequencer, Membership, Waiters, _metrics, options, logger, _stopping.Token);
        var activity = new StoreActivity(node.TimeProvider);
        links.Changed += _ => activity.Note();
        var observer = new CommitObserver(replica, Membership, Joining, _metrics, links, Watchers, Waiters, Sequencing, activity);
        var loop = new CommitLoop(replica, storage, options, node.TimeProvider, logger, observer.OnCommitted, links.End, sequencer, links.DispatchEarly, failure);
        Sequencing.Start(loop);
        var board = new AcknowledgmentBoard(replica, node.TimeProvider, options.AcknowledgmentTimeout, Membership);
        Context = new SessionContext(host, replica, sequencer, storage, loop, board, links, conditions, Membership, damages, logger, _stopping.Token);
        _network = new StoreNetwork(Context, Membership, activity.Note);
        _repairer = new StoreRepairer(Context, disk);
        if (disk is ChecksummedStorage && options.ScrubInterval > TimeSpan.Zero)
            _scrubber = new StoreScrubber(disk, node.Id, ReplicatedStoreOptions.ToTimer(options.ScrubInterval), node.TimeProvider, logger);
        _ticker = new StoreTicker(Context, Membership, Joining, _network, _repairer, activity, options);
    }

    public ReplicatedStoreOptions Options { get; }

    /// <summary>Gets the storage without the cache.</summary>
    public IStorage Disk { get; }

    public SessionContext Context { get; }

    public CurrentMembership Membership { get; }

    public StoreJoining Joining { get; }

    public CommitWaiters Waiters { get; }

    public StoreWatchers Watchers { get; }

    public StoreSequencing Sequencing { get; }

    /// <inheritdoc cref="StoreTicker.IsResting"/>
    public bool IsResting => _ticker.IsResting;

    /// <summary>Starts a store on a replica that has just been opened.</summary>
    /// <param name="host">The node, as the store sees it.</param>
    /// <param name="disk">The storage in which the replica keeps its data.</param>
    /// <param name="storage">The same storage, with a cache in front of it.</param>
    /// <param name="damages">The damaged records of the storage.</param>
    /// <param name="options">The settings.</param>
    /// <param name="replica">The replica.</param>
    /// <param name="sequencer">The sequencer of the replica.</param>
    /// <param name="failure">The error with which the storage refused the replica's first batch, or null if it did not.</param>
    public static StoreParts Start(
        StoreHost host, IStorage disk, IStorage storage, DamageLog damages, ReplicatedStoreOptions options, Replica replica, Sequencer sequencer, StorageException? failure) =>
        new(host, disk, storage, damages, options, replica, sequencer, failure);

    /// <summary>
    /// Waits for a bounded time until the peers have what they lack, and then stops all parts. No more writes may be made.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        await new FinalReplication(Context, Membership, Options.StopTimeout).RunAsync().ConfigureAwait(false);
        await _ticker.DisposeAsync().ConfigureAwait(false);
        if (_scrubber is not null)
            await _scrubber.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        Sequencing.Dispose();
        await _repairer.StopAsync().ConfigureAwait(false);
        if (_inquiry is not null)
            await _inquiry.Running.ConfigureAwait(false);
        await _network.DisposeAsync().ConfigureAwait(false);
        await Context.Loop.DisposeAsync().ConfigureAwait(false);
        Context.Board.Close();
        Joining.Close();
        Watchers.Close();
        Waiters.Close();
        _metrics.Dispose();
        _stopping.Dispose();
    }
}
