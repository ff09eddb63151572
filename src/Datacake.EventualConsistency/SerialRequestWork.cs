using Datacake.EventualConsistency.Commits;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.EventualConsistency;

/// <summary>The handing over of a request, whose outcome comes with a later batch, or the same one.</summary>
/// <param name="sequencer">The sequencer of the store.</param>
/// <param name="check">Throws if the request cannot be sent now.</param>
/// <param name="begin">Begins the request with the callback for its outcome.</param>
sealed class SerialRequestWork(Sequencer sequencer, Action check, Func<ReplicaBatch, Action<SerialRequest>, ValueTask<SerialRequest>> begin) : CommitWork
{
    readonly TaskCompletionSource<SerialRequest> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    int _stage;                     // a Stage

    /// <summary>The stages of the work.</summary>
    enum Stage
    {
        /// <summary>The work waits in the queue of the commit loop.</summary>
        Queued,

        /// <summary>The commit loop has begun the request, or has tried to.</summary>
        Begun,

        /// <summary>The caller has left before that, so that the request is never begun.</summary>
        Withdrawn,
    }

    public override bool NeedsDurability => false;

    public override bool IsDoneByCommit => sequencer.IsOnlyVoter;

    /// <summary>Gets the request; null if it was not handed over.</summary>
    public SerialRequest? Request { get; private set; }

    /// <summary>Gets the task that ends with the outcome.</summary>
    public Task<SerialRequest> Done => _done.Task;

    public override async ValueTask ApplyAsync(ReplicaBatch batch, CancellationToken cancellationToken)
    {
        // After a batch that could not be committed, the request is sent again by itself.
        if (!TryLeaveQueue(Stage.Begun))
            return;
        check();
        Request = await begin(batch, OnEnded).ConfigureAwait(false);
    }

    public override void OnCommitted()
    {
        // The caller is told once there is an outcome.
    }

    public override void OnFailed(Exception failure)
    {
        // The batch that failed may be stored nevertheless, and with it the transaction. Its outcome is asked for again.
        if (Request is not null && failure is not ObjectDisposedException)
            return;
        _done.TrySetException(failure);
        // Observed here, because the caller may no longer be waiting.
        _ = _done.Task.Exception;
    }

    /// <summary>Withdraws the request, unless the commit loop has begun it. Returns true if it is never sent.</summary>
    public bool TryWithdraw() => TryLeaveQueue(Stage.Withdrawn);

    /// <summary>Stops waiting. Called on the commit loop.</summary>
    public void GiveUp()
    {
        if (Request is { Outcome: null } request)
            sequencer.Caller.GiveUp(request, OnEnded);
    }

    void OnEnded(SerialRequest request) => _done.TrySetResult(request);

    bool TryLeaveQueue(Stage next) => Interlocked.CompareExchange(ref _stage, (int)next, (int)Stage.Queued) == (int)Stage.Queued;
}
