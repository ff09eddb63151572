using Datacake.Crdt;
using Datacake.EventualConsistency.Membership;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// The local transactions that wait for acknowledgements, and those that have come; and one timer for the deadlines of all. Thread-safe.
/// </summary>
/// <param name="replica">The replica that makes the transactions.</param>
/// <param name="time">The clock of the deadlines.</param>
/// <param name="timeout">How long a transaction may take, from when it was handed over.</param>
/// <param name="membership">Knows who has not acknowledged a transaction, and why.</param>
sealed class AcknowledgementBoard(Replica replica, TimeProvider time, TimeSpan timeout, CurrentMembership membership)
{
    const int MaxIdle = 1_024;
    const string WhenClosed =
        "The store closed. The write is kept where it was acknowledged, and replicates to the other members when this node runs again. Do not repeat it.";

    static readonly TimeSpan LongestTimer = TimeSpan.FromDays(1);

    readonly Lock _lock = new();
    readonly List<(HlcTimestamp Stamp, LocalCommit Commit)> _waiting = [];  // under the lock; in the order of their stamps, in which they are committed
    readonly Lock _idleLock = new();
    readonly Stack<LocalCommit> _idle = [];                     // under the idle lock
    ITimer? _timer;                                             // under the lock; set while something waits
    bool _isClosed;                                             // under the lock

    /// <summary>A commit of a transaction, to be posted to the commit loop and awaited once.</summary>
    public LocalCommit Start(Transaction transaction, ConsistencyRequirement requirement, CancellationToken cancellationToken)
    {
        LocalCommit? commit;
        lock (_idleLock)
            _idle.TryPop(out commit);
        commit ??= new LocalCommit(replica, this);
        commit.Start(transaction, requirement, time.GetTimestamp(), cancellationToken);
        return commit;
    }

    /// <summary>A commit that was awaited is used again.</summary>
    public void Return(LocalCommit commit)
    {
        lock (_idleLock)
        {
            if (_idle.Count < MaxIdle)
                _idle.Push(commit);
        }
    }

    /// <summary>A commit is stored here, and waits for others.</summary>
    public void Add(LocalCommit commit)
    {
        lock (_lock)
        {
            if (!commit.TryWait())
                return;
            if (_isClosed)
            {
                commit.Fail(TooFew(commit, time.GetElapsedTime(commit.Started)));
                return;
            }
            _waiting.Add((commit.Stamp, commit));
            _timer ??= time.CreateTimer(static board => ((AcknowledgementBoard)board!).OnTimer(), this, LeftOf(commit), Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>The caller of a commit no longer waits.</summary>
    public void Cancel(LocalCommit commit, CancellationToken cancelled)
    {
        lock (_lock)
        {
            if (commit.MustGiveUp(cancelled))
            {
                _waiting.RemoveAt(CountUpTo(commit.Stamp) - 1);
                commit.Fail(new CommitCanceledException(commit.Stamp, new OperationCanceledException(cancelled), cancelled));
            }
        }
    }

    /// <summary>A replica has the transactions in the intervals.</summary>
    public void OnAcknowledged(byte node, ReadOnlySpan<StampInterval> applied)
    {
        lock (_lock)
        {
            foreach (var interval in applied)
            {
                // A faulty peer's interval may end before it begins, and has nothing in it.
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

    /// <summary>The store is closed: no acknowledgements come any more.</summary>
    public void Close()
    {
        lock (_lock)
        {
            _isClosed = true;
            _timer?.Dispose();
            _timer = null;
            foreach (var (_, commit) in _waiting)
                commit.Fail(TooFew(commit, time.GetElapsedTime(commit.Started)));
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
                waiting.Commit.Fail(TooFew(waiting.Commit, timeout));
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
    ConsistencyException TooFew(LocalCommit commit, TimeSpan waited) =>
        new(commit.Requirement, commit.Acknowledged, membership.FailuresOf(commit.Acknowledged), waited, commit.Stamp, _isClosed ? WhenClosed : membership.WriteFate);

    /// <summary>How many of those that wait are not above a stamp.</summary>
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
