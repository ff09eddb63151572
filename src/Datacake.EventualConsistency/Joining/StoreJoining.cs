using System.Runtime.CompilerServices;
using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Diagnostics;
using Datacake.EventualConsistency.Hosts;
using Datacake.EventualConsistency.Options;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;
using Microsoft.Extensions.Logging;

namespace Datacake.EventualConsistency.Joining;

/// <summary>The progress of a store in joining its cluster, and the wait for its completion.</summary>
sealed class StoreJoining
{
    /// <summary>The number of steps in which the log reports the progress of the copy.</summary>
    const int LoggedSteps = 10;

    /// <summary>The number of ticks without a new document after which the log may say why.</summary>
    const int MaxSilentTicks = 20;

    readonly DatacakeNode _node;
    readonly StoreHost _host;
    readonly Replica _replica;
    readonly ClusterJoiner _cluster;
    readonly JoinReminder _reminder;
    readonly CommitWaiters _waiters;
    readonly Func<JoinObstacle> _describeFollowing;
    readonly ILogger _logger;
    readonly TaskCompletionSource _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile JoinStatus _status;            // replaced on the commit loop
    volatile JoinObstacle? _obstacle;       // replaced on the commit loop
    int _silentTicks;

    public StoreJoining(
        StoreHost host, HolderInquiry? inquiry, Replica replica, ReplicatedStoreOptions options, CommitWaiters waiters,
        Func<JoinObstacle> describeFollowing, ILogger logger)
    {
        _host = host;
        _node = host.Node;
        _replica = replica;
        _cluster = new ClusterJoiner(host, inquiry, replica, options);
        _reminder = new JoinReminder(_node.TimeProvider);
        _waiters = waiters;
        _describeFollowing = describeFollowing;
        _logger = logger;
        _status = CurrentStatus();
        if (replica.IsReadable)
            _joined.TrySetResult();
        else
            _obstacle = Obstacle();
        WasJoined = replica.IsReadable;
    }

    /// <summary>True if the store had joined before it was opened.</summary>
    public bool WasJoined { get; }

    /// <summary>Gets the reason why the store has not joined, as of the last tick; null if it has joined.</summary>
    public JoinObstacle? LastObstacle => IsJoined ? null : _obstacle;

    public JoinStatus Status => _status;

    public Task Joined => _joined.Task;

    public bool IsJoined => _joined.Task.IsCompletedSuccessfully;

    /// <summary>True if the first tick should follow at once, because the store can form its cluster then.</summary>
    public bool IsDueAtOnce => !IsJoined && !_replica.IsFollower && _cluster.MayFormAtOnce;

    public async IAsyncEnumerable<JoinStatus> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        JoinStatus? reported = null;
        while (reported is not { IsJoined: true })
        {
            await _waiters.WaitAsync(() => !ReferenceEquals(_status, reported), cancellationToken).ConfigureAwait(false);
            yield return reported = _status;
        }
    }

    /// <summary>Updates the status after a commit. Called on the commit loop.</summary>
    public void Refresh()
    {
        if (_joined.Task.IsCompleted)
            return;
        var before = _status;
        var status = CurrentStatus();
        if (status == before)
            return;
        _status = status;
        _silentTicks = 0;
        // Completed before logging, which may throw.
        if (status.IsJoined)
            _joined.TrySetResult();
        bool isNew = status.Source != before.Source || status.Documents < before.Documents;
        if (status.Source is { } source && (isNew || StepOf(status) > StepOf(before)))
            StoreLog.Joining(_logger, _node.Id, status.Documents, status.EstimatedDocuments, source);
        if (status.IsJoined && !_replica.IsFollower)
            StoreLog.Joined(_logger, _node.Id, _replica.Identity.Members.Count, _replica.Run);

        static long StepOf(JoinStatus status) => status.Documents * LoggedSteps / Math.Max(status.EstimatedDocuments, 1);
    }

    /// <summary>
    /// Forms the cluster if the store must, or else logs from time to time why the store has not joined. Called on the commit loop at each
    /// tick.
    /// </summary>
    public void Tick()
    {
        if (_replica.IsReadable)
            return;
        if (!_replica.IsFollower && _cluster.MustForm())
        {
            _replica.Bootstrap();
            return;
        }
        var obstacle = Obstacle();
        _obstacle = obstacle;
        // The errors of seeds are left out of the comparison, because they change from call to call.
        if (++_silentTicks % MaxSilentTicks == 0 && _reminder.IsDue((_replica.IsFollower ? obstacle : _cluster.Describe()).ToString(), out var waited))
            StoreLog.NotJoined(_logger, _node.Id, waited.TotalSeconds, Shown(obstacle));
    }

    /// <summary>Waits until the store has joined.</summary>
    /// <exception cref="TimeoutException">The store has not joined within the timeout. The message says why.</exception>
    /// <exception cref="ObjectDisposedException">The store is closed.</exception>
    public async ValueTask WaitAsync(CommitLoop loop, TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (IsJoined)
            return;
        try
        {
            await _joined.Task.WaitAsync(ReplicatedStoreOptions.ToTimer(timeout), _node.TimeProvider, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            var obstacle = await loop.RunInReserveAsync((_, _) => ValueTask.FromResult(Obstacle()), cancellationToken).ConfigureAwait(false);
            throw new TimeoutException(
                $"Node {_node.Id} cannot read or write yet. Its {_host.Noun} is fresh and has not joined its cluster{(timeout == TimeSpan.Zero ? "" : $" within {timeout.TotalSeconds:0.###} s")}: {Shown(obstacle)}");
        }
    }

    /// <summary>Ends all waits, because the store is closed.</summary>
    public void Close()
    {
        _joined.TrySetException(CommitLoop.Closed());
        _ = _joined.Task.Exception;
    }

    /// <summary>Returns the reason why the store has not joined, with the errors of its seeds.</summary>
    JoinObstacle Obstacle() => _replica.IsFollower ? _describeFollowing() : _cluster.Describe() is var obstacle && _cluster.DescribeSeedFailures() is { Length: > 0 } failures
        ? obstacle with { Remedy = obstacle.Remedy + failures }
        : obstacle;

    string Shown(JoinObstacle obstacle) => SettingNames.ForStore(obstacle.ToString(), _host.Name);

    JoinStatus CurrentStatus()
    {
        var (documents, estimated, source) = _replica.SeedProgress;
        return new JoinStatus(_replica.IsReadable, documents, Math.Max(documents, estimated), source);
    }
}
