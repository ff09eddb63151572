using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Following;
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
    readonly StoreNetwork? _network;
    readonly FollowerPresence _presence;
    readonly FollowerService? _followers;
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
        if (!options.IsFollower)
            host.PublishIdentity(replica.Identity.StoreId);
        _stopping = new CancellationTokenSource();
        Options = options;
        Waiters = new CommitWaiters();
        Watchers = new StoreWatchers(replica.Catalog);
        if (host.IsNamed && !replica.IsJoined && !options.IsFollower)
            _inquiry = new HolderInquiry(host, () => replica.IsJoined, _stopping.Token);
        Joining = new StoreJoining(host, _inquiry, replica, options, Waiters, DescribeFollowing, logger);
        var links = new PeerLinks();
        var conditions = new PeerConditions(node.TimeProvider, peer => host.Find(peer)?.Address, logger);
        Membership = new CurrentMembership(host, replica, conditions, options.ExpectedNodes);
        _metrics = new StoreMetrics(host, replica, sequencer, links, Joining, damages, () => Followers, options.IsFollower ? () => Source?.Status : null);
        Sequencing = new StoreSequencing(node, replica, sequencer, Membership, Waiters, _metrics, options, logger, _stopping.Token);
        var activity = new StoreActivity(node.TimeProvider);
        links.Changed += _ => activity.Note();
        var observer = new CommitObserver(replica, Membership, Joining, _metrics, links, Watchers, Waiters, Sequencing, activity, batch => _followers?.OnCommitted(batch));
        var loop = new CommitLoop(replica, storage, options, node.TimeProvider, logger, observer.OnCommitted, links.End, sequencer, links.DispatchEarly, failure);
        Sequencing.Start(loop);
        var board = new AcknowledgmentBoard(replica, node.TimeProvider, options.AcknowledgmentTimeout, Membership);
        Context = new SessionContext(host, replica, sequencer, storage, loop, board, links, conditions, Membership, damages, logger, _stopping.Token);
        _presence = new FollowerPresence(node.TimeProvider);
        if (options.IsFollower)
        {
            Source = new FollowerLink(Context, options.FollowedMembers);
        }
        else
        {
            _network = new StoreNetwork(Context, Membership, activity.Note);
            _followers = new FollowerService(Context, _presence);
            node.Server.AddService(_followers);
        }
        _repairer = new StoreRepairer(Context, disk);
        if (disk is ChecksummedStorage && options.ScrubInterval > TimeSpan.Zero)
            _scrubber = new StoreScrubber(disk, node.Id, ReplicatedStoreOptions.ToTimer(options.ScrubInterval), node.TimeProvider, logger);
        _ticker = new StoreTicker(Context, Membership, Joining, _network, _repairer, _presence, activity, options);
    }

    /// <summary>Returns the reason why a follower has no copy yet.</summary>
    JoinObstacle DescribeFollowing() => Source?.Status is { IsConnected: false, Failure: { } failure }
        ? new($"it follows no member at present: {failure}", "Start a member, and check the address, the cluster id, the cluster secret and the firewall.")
        : new("it copies the data of the member that it follows", "Wait. If no more documents arrive, check the network to that member, and its log.");

    public ReplicatedStoreOptions Options { get; }

    /// <summary>Gets the storage without the cache.</summary>
    public IStorage Disk { get; }

    public SessionContext Context { get; }

    public CurrentMembership Membership { get; }

    public StoreJoining Joining { get; }

    public CommitWaiters Waiters { get; }

    public StoreWatchers Watchers { get; }

    public StoreSequencing Sequencing { get; }

    /// <summary>Gets the connection to the member that the store follows; null for a member.</summary>
    public FollowerLink? Source { get; }

    /// <summary>Gets the number of followers that are connected to the store.</summary>
    public int Followers => _followers?.Count ?? 0;

    /// <summary>Returns the addresses of followers that are connected to the store.</summary>
    public IReadOnlyList<string> ListFollowers(int count) => _followers?.List(count) ?? [];

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
        if (Source is not null)
            await Source.DisposeAsync().ConfigureAwait(false);
        else
            await new FinalReplication(Context, Membership, Options.StopTimeout).RunAsync().ConfigureAwait(false);
        await _ticker.DisposeAsync().ConfigureAwait(false);
        if (_scrubber is not null)
            await _scrubber.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        Sequencing.Dispose();
        await _repairer.StopAsync().ConfigureAwait(false);
        if (_inquiry is not null)
            await _inquiry.Running.ConfigureAwait(false);
        if (_followers is not null)
        {
            Context.Node.Server.RemoveService(_followers.Name);
            await _followers.StopAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (_network is not null)
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
