using Datacake.Crdt;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// The local transactions that wait for acknowledgments, the acknowledgments that have arrived, and one timer for all deadlines.
/// Thread-safe.
/// </summary>
/// <param name="replica">The replica that makes the transactions.</param>
/// <param name="time">The clock for the deadlines.</param>
/// <param name="timeout">The time that a transaction may take from the moment it was handed over.</param>
/// <param name="membership">The source of the members that have not acknowledged a transaction, and of the reasons.</param>
sealed class AcknowledgmentBoard(Replica replica, TimeProvider time, TimeSpan timeout, CurrentMembership membership)
{
    const int MaxIdle = 1_024;
    const string WhenClosed =
        "The store was closed. The write is kept on the nodes that acknowledged it, and replicates to the other members when this node runs "
            + "again. Do not repeat it.";

    static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    readonly Lock _lock = new();
    readonly List<(HlcTimestamp Stamp, LocalCommit Commit)> _waiting = [];  // under the lock; ordered by stamp, which is the order of the commits
    readonly Lock _idleLock = new();
    readonly Stack<LocalCommit> _idle = [];                     // under the idle lock
    ITimer? _timer;                                             // under the lock; set while a commit waits
    bool _isClosed;                                             // under the lock

    /// <summary>Returns a commit of a transaction, which is to be posted to the commit loop and awaited once.</summary>
    public LocalCommit Start(Transaction transaction, ConsistencyRequirement requirement, CancellationToken cancellationToken)
    {
        LocalCommit? commit;
        lock (_idleLock)
            _idle.TryPop(out commit);
        commit ??= new LocalCommit(replica, this);
        commit.Start(transaction, requirement, time.GetTimestamp(), cancellationToken);
        return commit;
    }

    /// <summary>Takes back a commit that was awaited, to use it again.</summary>
    public void Return(LocalCommit commit)
    {
        lock (_idleLock)
        {
            if (_idle.Count < MaxIdle)
                _idle.Push(commit);
        }
    }

    /// <summary>Adds a commit that is stored on this node and waits for other replicas.</summary>
    public void Add(LocalCommit commit)
    {
        lock (_lock)
        {
            if (!commit.TryWait())
                return;
            if (_isClosed)
            {
                commit.Fail(NewFailure(commit, time.GetElapsedTime(commit.Started)));
                return;
            }
            _waiting.Add((commit.Stamp, commit));
            _timer ??= time.CreateTimer(static board => ((AcknowledgmentBoard)board!).OnTimer(), this, LeftOf(commit), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Ends the wait of a commit whose caller has canceled it.</summary>
    public void Cancel(LocalCommit commit, CancellationToken canceled)
    {
        lock (_lock)
        {
            if (commit.MustGiveUp(canceled))
            {
                _waiting.RemoveAt(CountUpTo(commit.Stamp) - 1);
                commit.Fail(new CommitCanceledException(commit.Stamp, new OperationCanceledException(canceled), canceled));
            }
        }
    }

    /// <summary>Records that a replica has the transactions in the intervals.</summary>
    public void OnAcknowledged(byte node, ReadOnlySpan<StampInterval> applied)
    {
        lock (_lock)
        {
            foreach (var interval in applied)
            {
                // The interval of a faulty peer may end before it begins; it is then empty.
                int left = CountUpTo(interval.Low), end = Math.Max(left, CountUpTo(interval.High));
                for (int i = left; i < end; i++)
                {
                    if (!_waiting[i].Commit.Acknowledge(node))
                        _waiting[left++] = _waiting[i];
                }
                _waiting.RemoveRange(left, end - left);
            }
        }
    }

    /// <summary>Fails all waiting commits, because the store is closed and no more acknowledgments arrive.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            _timer?.Dispose();
            _timer = null;
            foreach (var (_, commit) in _waiting)
                commit.Fail(NewFailure(commit, time.GetElapsedTime(commit.Started)));
            _waiting.Clear();
        }
    }

    void OnTimer()
    {
        lock (_lock)
        {
            if (_timer is null)
                return;
            var next = TimeSpan.MaxValue;
            _waiting.RemoveAll(waiting =>
            {
                var left = LeftOf(waiting.Commit);
                if (left > TimeSpan.Zero)
                {
                    next = left < next ? left : next;
                    return false;
                }
                waiting.Commit.Fail(NewFailure(waiting.Commit, timeout));
                return true;
            });
            if (_waiting.Count > 0)
            {
                _timer.Change(next, Timeout.InfiniteTimeSpan);
                return;
            }
            _timer.Dispose();
            _timer = null;
        }
    }

    TimeSpan LeftOf(LocalCommit commit)
    {
        var left = timeout - time.GetElapsedTime(commit.Started);
        return left < TimeSpan.Zero ? TimeSpan.Zero : left < LongestTimer ? left : LongestTimer;
    }

    // Under the lock.
    ConsistencyException NewFailure(LocalCommit commit, TimeSpan waited) =>
        new(commit.Requirement, commit.Acknowledged, membership.FailuresOf(commit.Acknowledged), waited, commit.Stamp, _isClosed ? WhenClosed : membership.WriteFate);

    /// <summary>Returns the number of waiting commits whose stamps are not above a stamp.</summary>
    int CountUpTo(HlcTimestamp stamp)
    {
        int low = 0, high = _waiting.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_waiting[middle].Stamp > stamp)
                high = middle;
            else
                low = middle + 1;
        }
        return low;
    }
}
