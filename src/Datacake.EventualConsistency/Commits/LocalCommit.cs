using System.Threading.Tasks.Sources;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// A local transaction on its way: through the commit loop, then until enough replicas have acknowledged it. Its caller awaits it once, and it is then used
/// again for another transaction: tasks, timers and closures for each were an eighth of what a put allocated.
/// </summary>
sealed class LocalCommit(Replica replica, AcknowledgementBoard board) : CommitWork, IValueTaskSource<CommitResult>, IThreadPoolWorkItem
{
    ManualResetValueTaskSourceCore<CommitResult> _done;     // completed by Execute, on a pool thread
    Exception? _failure;
    CancellationTokenRegistration _cancellation;
    Transaction? _transaction;

    // Set before the commit loop gets it, then used under the board's lock.
    NodeSet _acknowledged;
    bool _isWaiting;                                        // on the board
    CancellationToken _cancelled;                           // cancelled by the caller, or none

    /// <summary>What the level asks for.</summary>
    public ConsistencyRequirement Requirement { get; private set; } = null!;

    public override bool IsDoneByCommit => Requirement.IsSatisfiedBy(NodeSet.Of(replica.Node));

    public override bool MayUseReserve => _transaction!.OnlyDeletes;

    /// <summary>When it was handed over, in the ticks of the board's time provider.</summary>
    public long Started { get; private set; }

    public HlcTimestamp Stamp { get; private set; }

    /// <summary>Who has it.</summary>
    public NodeSet Acknowledged => _acknowledged;

    /// <summary>What the caller awaits.</summary>
    public ValueTask<CommitResult> Done => new(this, _done.Version);

    /// <summary>Starts over with a transaction. Nobody else knows this object yet, or any more.</summary>
    public void Start(Transaction transaction, ConsistencyRequirement requirement, long now, CancellationToken cancellationToken)
    {
        _transaction = transaction;
        Requirement = requirement;
        Started = now;
        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static (commit, token) => ((LocalCommit)commit!).Cancel(token), this);
    }

    /// <summary>The commit loop has not taken it, so that nobody awaits it.</summary>
    public void Withdraw() => _cancellation.Dispose();

    public override async ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken) =>
        Stamp = await replica.WriteAsync(batch, _transaction!).ConfigureAwait(false);

    public override void OnCommitted()
    {
        _acknowledged = NodeSet.Of(replica.Node);
        if (IsDoneByCommit)
            Complete();
        else
            board.Add(this);
    }

    public override void OnFailed(Exception failure)
    {
        _failure = failure;
        Complete();
    }

    /// <summary>It is on the board from now on; false if it need not be, since the caller has cancelled it before. Under the board's lock.</summary>
    public bool TryWait()
    {
        if (_cancelled.IsCancellationRequested)
        {
            Fail(new CommitCanceledException(Stamp, new OperationCanceledException(_cancelled), _cancelled));
            return false;
        }
        return _isWaiting = true;
    }

    /// <summary>A replica has the transaction. Whether the level is satisfied with it. Under the board's lock.</summary>
    public bool Acknowledge(byte node)
    {
        _acknowledged = _acknowledged.With(node);
        if (!Requirement.IsSatisfiedBy(_acknowledged))
            return false;
        _isWaiting = false;
        Complete();
        return true;
    }

    /// <summary>It is off the board, without having been acknowledged by enough. Under the board's lock.</summary>
    public void Fail(Exception failure)
    {
        _isWaiting = false;
        OnFailed(failure);
    }

    /// <summary>The caller cancels. What is posted is committed or fails, whoever waits: the caller is told then. Under the board's lock.</summary>
    public bool MustGiveUp(CancellationToken cancelled)
    {
        _cancelled = cancelled;
        return _isWaiting;
    }

    public ValueTaskSourceStatus GetStatus(short token) => _done.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);

    public CommitResult GetResult(short token)
    {
        if (_done.GetStatus(token) == ValueTaskSourceStatus.Pending)
            throw new InvalidOperationException("The commit is not done yet; await it.");
        // After this nobody cancels it any more.
        _cancellation.Dispose();
        try
        {
            return _done.GetResult(token);
        }
        finally
        {
            Reset();
            board.Return(this);
        }
    }

    void Cancel(CancellationToken cancelled) => board.Cancel(this, cancelled);

    // Through the pool's global queue, in which those who commit together stand one behind the other: what they commit next is then there together, too,
    // when the loop has its turn again. Through the queue of the loop's own thread they would come one by one.
    void Complete() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    void IThreadPoolWorkItem.Execute()
    {
        if (_failure is { } failure)
            _done.SetException(failure);
        else
            _done.SetResult(new CommitResult(Stamp, _acknowledged));
    }

    void Reset()
    {
        _done.Reset();
        _failure = null;
        _cancellation = default;
        _transaction = null;
        _cancelled = default;
        _acknowledged = default;
    }
}
