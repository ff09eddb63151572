using System.Diagnostics;
using System.Threading.Tasks.Sources;
using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.Node;

namespace Datacake.EventualConsistency.Commits;

/// <summary>
/// A local transaction on its way through the commit loop, and then until enough replicas have acknowledged it. The caller awaits it once,
/// and then the object is used again for another transaction: a task, a timer and closures for each transaction made up an eighth of the
/// allocations of a put.
/// </summary>
sealed class LocalCommit(Replica replica, AcknowledgmentBoard board) : CommitWork, IValueTaskSource<CommitResult>, IThreadPoolWorkItem
{
    ManualResetValueTaskSourceCore<CommitResult> _done;     // completed by Execute, on a pool thread
    Exception? _failure;
    CancellationTokenRegistration _cancellation;
    Transaction? _transaction;
    Activity? _span;                                        // the caller's, if it is recorded

    // Set before the commit loop gets the commit, and then used under the board's lock.
    NodeSet _acknowledged;
    bool _isWaiting;                                        // on the board
    CancellationToken _canceled;                            // the token that the caller has canceled, or none

    /// <summary>Gets the requirement of the consistency level.</summary>
    public ConsistencyRequirement Requirement { get; private set; } = null!;

    public override bool IsDoneByCommit => Requirement.IsSatisfiedBy(NodeSet.Of(replica.Node));

    public override bool MayUseReserve => _transaction!.OnlyDeletes;

    /// <summary>Gets the time at which the commit was started, as a timestamp of the board's time provider.</summary>
    public long Started { get; private set; }

    public HlcTimestamp Stamp { get; private set; }

    /// <summary>Gets the nodes that have the transaction.</summary>
    public NodeSet Acknowledged => _acknowledged;

    /// <summary>Gets the task that the caller awaits.</summary>
    public ValueTask<CommitResult> Done => new(this, _done.Version);

    /// <summary>Starts over with a transaction. No other thread may have a reference to this object.</summary>
    public void Start(Transaction transaction, ConsistencyRequirement requirement, long now, CancellationToken cancellationToken)
    {
        _transaction = transaction;
        Requirement = requirement;
        Started = now;
        if (Activity.Current is { IsAllDataRequested: true } span)
            _span = span;
        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.UnsafeRegister(static (commit, token) => ((LocalCommit)commit!).Cancel(token), this);
    }

    /// <summary>Withdraws a commit that the commit loop has not taken, and that nobody awaits.</summary>
    public void Withdraw() => _cancellation.Dispose();

    public override void AddKeysTo(List<ReadOnlyMemory<byte>> keys, ReplicaBatch batch)
    {
        foreach (var operation in _transaction!.Operations)
        {
            // A keyspace that does not exist yet has no documents.
            if (batch.FindKeyspace(operation.Keyspace) is { } keyspace)
                keys.Add(batch.KeyOf(keyspace, operation.Key));
        }
    }

    public override async ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken) =>
        Stamp = await replica.WriteAsync(batch, _transaction!).ConfigureAwait(false);

    public override void OnCommitted()
    {
        _acknowledged = NodeSet.Of(replica.Node);
        _span?.AddEvent(new ActivityEvent("datacake.committed"));
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

    /// <summary>
    /// Makes the commit wait on the board. Returns false if it need not, because the caller has already canceled it. Called under the
    /// board's lock.
    /// </summary>
    public bool TryWait()
    {
        if (_canceled.IsCancellationRequested)
        {
            Fail(new CommitCanceledException(Stamp, new OperationCanceledException(_canceled), _canceled));
            return false;
        }
        return _isWaiting = true;
    }

    /// <summary>
    /// Adds a replica that has the transaction. Returns true if the level is then satisfied. Called under the board's lock.
    /// </summary>
    public bool Acknowledge(byte node)
    {
        _acknowledged = _acknowledged.With(node);
        _span?.AddEvent(new ActivityEvent("datacake.acknowledged", tags: new() { ["datacake.node"] = (int)node }));
        if (!Requirement.IsSatisfiedBy(_acknowledged))
            return false;
        _isWaiting = false;
        Complete();
        return true;
    }

    /// <summary>Fails the commit after it was taken off the board without enough acknowledgments. Called under the board's lock.</summary>
    public void Fail(Exception failure)
    {
        _isWaiting = false;
        OnFailed(failure);
    }

    /// <summary>
    /// Records that the caller has canceled. Returns true if the commit waits on the board. A commit that is still on the commit loop is
    /// first committed or fails there, and its caller is told then. Called under the board's lock.
    /// </summary>
    public bool MustGiveUp(CancellationToken canceled)
    {
        _canceled = canceled;
        return _isWaiting;
    }

    public ValueTaskSourceStatus GetStatus(short token) => _done.GetStatus(token);

    public void OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _done.OnCompleted(continuation, state, token, flags);

    public CommitResult GetResult(short token)
    {
        if (_done.GetStatus(token) == ValueTaskSourceStatus.Pending)
            throw new InvalidOperationException("The commit is not complete yet. Await it.");
        // After this, the caller can no longer cancel the commit.
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

    void Cancel(CancellationToken canceled) => board.Cancel(this, canceled);

    // Uses the global queue of the pool, in which the callers of one batch follow each other, so that their next commits also arrive together
    // when it is the loop's turn again. From the local queue of the loop's thread, they would arrive one by one.
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
        _span = null;
        _canceled = default;
        _acknowledged = default;
    }
}
