using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing.Messages;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>
/// The requests of one node: sends each to the sequencer, and again, under the same identity, until its outcome is known [S8]. Pure and not thread-safe,
/// as the <see cref="Sequencer"/> is.
/// </summary>
sealed class SerialCaller(Sequencer sequencer, Replica replica)
{
    /// <summary>The time after which a request without an answer is sent again, in milliseconds.</summary>
    const long RetryAfter = 300;

    const long RetrySoon = 20;

    /// <summary>The time for which the reply to a request is still expected that nobody waits for any more, in milliseconds. It takes longer to notice that a sequencer is gone.</summary>
    const long AbandonedFor = 60_000;

    readonly Dictionary<ulong, SerialRequest> _requests = [];
    readonly Dictionary<ulong, SerialRequest> _abandoned = [];                  // transactions that were sent, and that nobody waits for
    readonly Queue<(ulong Attempt, long DueAt)> _abandonedInOrder = [];        // the same, and some that have ended or are awaited again
    readonly Stack<(uint Lane, ulong Number)> _freeLanes = [];
    ulong _lastAttempt;
    uint _lastLane;
    byte? _hint;                        // the node that the last one which was not the sequencer takes for it

    /// <summary>Gets the number of requests without an outcome that are sent again.</summary>
    public int Count => _requests.Count;

    /// <summary>Gets the number of transactions that were sent, and whose outcome nobody waits for.</summary>
    public int Abandoned => _abandoned.Count;

    /// <summary>Gets the number of lanes that this run has used.</summary>
    public uint Lanes => _lastLane;

    /// <summary>Gets the time at which a request is sent again or forgotten, on the clock of the sequencer; <see cref="long.MaxValue"/> if there is none.</summary>
    public long DueAt
    {
        get
        {
            long due = _abandonedInOrder.TryPeek(out var oldest) ? oldest.DueAt : long.MaxValue;
            foreach (var request in _requests.Values)
                due = Math.Min(due, request.DueAt);
            return due;
        }
    }

    /// <summary>Begins a transaction.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="conditions">What was read.</param>
    /// <param name="operations">The effects.</param>
    /// <param name="onEnded">The callback for the outcome.</param>
    public ValueTask<SerialRequest> CommitAsync(
        ReplicaBatch batch, IReadOnlyList<SerialCondition> conditions, IReadOnlyList<SerialOperation> operations, Action<SerialRequest> onEnded) =>
        CommitAsync(batch, new SerialProposal { Conditions = conditions, Operations = operations }, onEnded);

    /// <summary>Begins a transaction.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="proposal">The transaction.</param>
    /// <param name="onEnded">The callback for the outcome.</param>
    /// <exception cref="InvalidOperationException">There are too many requests, or too many whose outcome was not learned.</exception>
    /// <exception cref="InvalidDataException">The parts of the transaction do not fit together.</exception>
    public async ValueTask<SerialRequest> CommitAsync(ReplicaBatch batch, SerialProposal proposal, Action<SerialRequest> onEnded)
    {
        proposal.Check();
        ThrowIfTooMany();
        if (_freeLanes.Count == 0 && _lastLane >= sequencer.Settings.MaxLanes)
        {
            throw new InvalidOperationException(
                $"The outcomes of too many serial transactions of node {replica.Node} were not learned: all {sequencer.Settings.MaxLanes} lanes are in use. Nothing was written. "
                    + "Resolve the outcomes, or restart the node.");
        }
        var (lane, last) = _freeLanes.TryPop(out var free) ? free : (++_lastLane, 0UL);
        var id = new TransactionId(replica.Identity.StoreId, replica.Run, lane, last + 1);
        var request = new SerialRequest { Message = new CommitRequest(++_lastAttempt, id, proposal), Id = id };
        request.Await(onEnded);
        _requests.Add(request.Attempt, request);
        try
        {
            await SendAsync(batch, request).ConfigureAwait(false);
        }
        catch
        {
            // The caller is told that nothing was written, so that it must not be sent again. Should it have become an entry nevertheless, the next one of the lane comes after it.
            _requests.Remove(request.Attempt);
            _freeLanes.Push((lane, id.Number));
            throw;
        }
        return request;
    }

    /// <summary>Begins a barrier.</summary>
    /// <exception cref="InvalidOperationException">There are too many requests.</exception>
    public async ValueTask<SerialRequest> BeginBarrierAsync(ReplicaBatch batch, Action<SerialRequest> onEnded)
    {
        ThrowIfTooMany();
        var request = new SerialRequest { Message = new BarrierRequest(++_lastAttempt) };
        request.Await(onEnded);
        _requests.Add(request.Attempt, request);
        await SendAsync(batch, request).ConfigureAwait(false);
        return request;
    }

    void ThrowIfTooMany()
    {
        if (_requests.Count >= sequencer.Settings.MaxRequests)
        {
            throw new InvalidOperationException(
                $"Node {replica.Node} has {_requests.Count} serial requests without an outcome, which is the limit. Nothing was written. Retry later, with fewer at a time.");
        }
    }

    /// <summary>
    /// Waits for a request that was begun before, beside others that may wait for it. If its outcome was learned meanwhile, it ends at once: its lane may belong to another transaction
    /// by now.
    /// </summary>
    public async ValueTask ResumeAsync(ReplicaBatch batch, SerialRequest request, Action<SerialRequest> onEnded)
    {
        if (request.Outcome is not null)
        {
            onEnded(request);
            return;
        }
        request.Await(onEnded);
        _abandoned.Remove(request.Attempt);
        if (_requests.TryAdd(request.Attempt, request))
            await SendAgainAsync(batch, request).ConfigureAwait(false);
    }

    /// <summary>
    /// Gives up waiting. Once nobody waits, a request is not sent again. A transaction that was sent may still take effect, once: its lane is used again only when its outcome has
    /// arrived, so that its outcome can be asked for later. Another transaction of the lane could overtake it, and take its place in the record of the lane.
    /// </summary>
    public void GiveUp(SerialRequest request, Action<SerialRequest> onEnded)
    {
        request.Leave(onEnded);
        if (request.IsAwaited || !_requests.Remove(request.Attempt) || request.Id is not { } id)
            return;
        if (!request.IsSent)
        {
            _freeLanes.Push((id.Lane, id.Number - 1));
            return;
        }
        request.DueAt = sequencer.Now + AbandonedFor;
        _abandoned.Add(request.Attempt, request);
        _abandonedInOrder.Enqueue((request.Attempt, request.DueAt));
        ForgetAbandoned();
    }

    /// <summary>Forgets the abandoned requests that are too old, or too many. Their lanes are not used again.</summary>
    void ForgetAbandoned()
    {
        while (_abandonedInOrder.TryPeek(out var oldest) && (oldest.DueAt <= sequencer.Now || _abandonedInOrder.Count > sequencer.Settings.MaxRequests))
        {
            _abandonedInOrder.Dequeue();
            if (_abandoned.TryGetValue(oldest.Attempt, out var request) && request.DueAt == oldest.DueAt)
                _abandoned.Remove(oldest.Attempt);
        }
    }

    /// <summary>Sends again what has waited too long.</summary>
    public async ValueTask TickAsync(ReplicaBatch batch)
    {
        ForgetAbandoned();
        foreach (var request in _requests.Values.Where(request => sequencer.Now >= request.DueAt).ToArray())
            await SendAgainAsync(batch, request).ConfigureAwait(false);
    }

    /// <summary>Handles a reply, once the batch that brought it is committed.</summary>
    /// <param name="reply">The reply.</param>
    /// <param name="node">The node that has sent it.</param>
    /// <param name="session">The session in which it was sent.</param>
    public void OnReply(SequencerReply reply, byte node, long session)
    {
        bool isAwaited = _requests.TryGetValue(reply.Attempt, out var request);
        if (!isAwaited && !_abandoned.TryGetValue(reply.Attempt, out request))
            return;
        if (!IsOfThisFounding(reply) || !IsOutcome(reply, (request!.Message as CommitRequest)?.Proposal))
        {
            if (!isAwaited)
                return;
            _hint = reply.Sequencer;
            request!.DueAt = Math.Min(request.DueAt, sequencer.Now + RetrySoon);
            return;
        }
        _requests.Remove(reply.Attempt);
        _abandoned.Remove(reply.Attempt);
        if (request.Id is { } id)
            _freeLanes.Push((id.Lane, id.Number));
        (request.Node, request.Session, request.IsKnown) = (node, session, replica.State.Known.Covers(reply.Token));
        request.End(reply);
    }

    /// <summary>Sends a request that may have been sent before. If that fails, the request is sent once more later, and its caller is told of the failure if that does not help.</summary>
    async ValueTask SendAgainAsync(ReplicaBatch batch, SerialRequest request)
    {
        try
        {
            await SendAsync(batch, request).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            request.Failure = e;
        }
    }

    async ValueTask SendAsync(ReplicaBatch batch, SerialRequest request)
    {
        request.DueAt = sequencer.Now + RetryAfter;
        request.Failure = null;
        byte? target = sequencer.Current ?? _hint;
        if (target == replica.Node)
        {
            request.IsSent = true;
            if (request.Message is CommitRequest commit)
                await sequencer.CommitAsync(batch, commit).ConfigureAwait(false);
            else
                sequencer.BeginBarrier(batch, (BarrierRequest)request.Message);
        }
        else if (target is { } node && replica.Sessions.TryGetValue(node, out var session))
        {
            request.IsSent = true;
            sequencer.ExpectSignOfLife();
            batch.Outbox.Add(new Outgoing(node, session.Id, request.Message.Wrap()));
        }
        else
        {
            request.DueAt = sequencer.Now + RetrySoon;
        }
    }

    /// <summary>
    /// Returns true if a reply is of the sequence that this store follows [S9]. Of another one, either the sequencer or this store has yet to follow the right founding: the outcome may be lost
    /// with the earlier sequence, or may be of a later one, of which the caller could not know yet that it is founded. The request is sent again until both agree.
    /// </summary>
    bool IsOfThisFounding(SequencerReply reply) => reply.Founding is not { } founding || founding == sequencer.State.Founding;

    /// <summary>Returns true if a reply is the outcome of a transaction, or of a barrier. What does not fit the transaction is from a faulty node.</summary>
    static bool IsOutcome(SequencerReply reply, SerialProposal? proposal) => reply.Outcome switch
    {
        SerialOutcome.Done => reply.Numbers.Count == (proposal?.Numbers.Count ?? 0),
        SerialOutcome.Conflict => proposal is not null && reply.Refusal?.IsOf(proposal) == true,
        _ => false,
    };
}
