using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Sequencing.Messages;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Sequencing;

// The requests that a sequencer takes [S4, S7, S8].
partial class Sequencer
{
    readonly List<(SequencerReply Reply, byte Node, long Session)> _replies = [];               // for this node's own requests
    readonly Dictionary<ulong, Requester> _waiting = [];                                        // by the index of the entry
    readonly Dictionary<TransactionId, ulong> _entryOf = [];                                    // of the transactions above the base
    readonly WaitingWrites _writes = new();
    readonly List<(Requester Requester, ulong Round, VersionVector Token)> _barriers = [];

    /// <summary>Handles a request of this node's own.</summary>
    public ValueTask CommitAsync(ReplicaBatch batch, CommitRequest request) => CommitAsync(batch, new Requester(_replica.Node, 0, request.Attempt), request);

    /// <summary>Handles a request of this node's own.</summary>
    public void BeginBarrier(ReplicaBatch batch, BarrierRequest request) => BeginBarrier(batch, new Requester(_replica.Node, 0, request.Attempt));

    async ValueTask CommitAsync(ReplicaBatch batch, Requester requester, CommitRequest request)
    {
        _wantedAt = Now;
        if (!TakesRequests)
        {
            Reply(batch, requester, SerialOutcome.NotSequencer);
            return;
        }
        // Sent again: it is recognized while it waits, and by the record of its lane when it is done [S8].
        if (_entryOf.TryGetValue(request.Id, out ulong index))
        {
            _waiting[index] = requester;
            return;
        }
        var recorded = await FindOutcomeAsync(batch, request.Id.Caller).ConfigureAwait(false);
        if (request.Id.Number <= recorded.Number)
        {
            ReplyOutcome(batch, requester, recorded, Kept.Token);
            return;
        }
        // The outcome may have been removed with those of the earlier runs of the store.
        if (request.Id.Run < batch.State.Runs[request.Id.Run.Node])
        {
            Reply(batch, requester, SerialOutcome.Unknown);
            return;
        }
        // A refusal depends on entries that may yet be lost, so that it is told only when it is decided itself, after them.
        var ((refusal, isBusy), operations, numbers) = await DecideAsync(batch, request.Proposal).ConfigureAwait(false);
        if (refusal is not null && !DecidesRefusals)
        {
            ReplyOutcome(batch, requester, new RecordedOutcome(request.Id.Number, refusal, null), Kept.Token);
            return;
        }
        var entry = refusal is null ? SequenceEntry.Of(Kept.Epoch, request.Id, operations, numbers) : SequenceEntry.OfRefusal(Kept.Epoch, request.Id, refusal);
        if (isBusy || (Waiting > 0 && (_log.Length + entry.Encoded.Length > _settings.MaxWaitingLength || Waiting >= _settings.MaxWaiting)))
        {
            Reply(batch, requester, SerialOutcome.Busy);
            return;
        }
        Append(entry);
        Note(entry, _log.Last);
        _waiting[_log.Last] = requester;
    }

    /// <summary>Returns what is to become of a transaction: a reason to refuse it, or its effects with the numbers that it is assigned.</summary>
    async ValueTask<(Verdict Verdict, IReadOnlyList<SerialOperation> Operations, IReadOnlyList<long> Numbers)> DecideAsync(ReplicaBatch batch, SerialProposal proposal)
    {
        var verdict = await CheckOperationsAsync(batch, proposal.Operations).ConfigureAwait(false);
        if (verdict == Verdict.Holds)
            verdict = await CheckAsync(batch, proposal).ConfigureAwait(false);
        if (verdict != Verdict.Holds)
            return (verdict, [], []);
        (verdict, var operations, var numbers) = await AssignAsync(batch, proposal).ConfigureAwait(false);
        if (verdict == Verdict.Holds)
            verdict = await CheckUniqueAsync(batch, proposal.UniqueIndexes, operations).ConfigureAwait(false);
        return (verdict, operations, numbers);
    }

    /// <summary>Finds the first operation that no transaction may have, whatever the caller's node knows [S1].</summary>
    async ValueTask<Verdict> CheckOperationsAsync(ReplicaBatch batch, IReadOnlyList<SerialOperation> operations)
    {
        for (int i = 0; i < operations.Count; i++)
        {
            var operation = operations[i];
            if (operation.IsReserved)
                return new SerialRefusal(RefusalReason.Reserved, i);
            string name = operation.Operation.Keyspace;
            var keyspace = _replica.Catalog.Find(name);
            if (keyspace is null ? IsWaitingUnder(name, operation.Policy) : keyspace.Policy != operation.Policy)
                return new SerialRefusal(RefusalReason.OtherPolicy, i);
            if (keyspace is not null && BoundedReplacement.IsBy(operation.Operation, await batch.ReadAsync(batch.KeyOf(keyspace, operation.Operation.Key)).ConfigureAwait(false), keyspace.Policy, batch.Now))
                return new SerialRefusal(RefusalReason.Bounded, i);
        }
        return Verdict.Holds;
    }

    /// <summary>Returns true if an entry that waits creates a keyspace with another policy than the given one.</summary>
    bool IsWaitingUnder(string keyspace, MergePolicy policy)
    {
        for (ulong index = Kept.Base + 1; index <= _log.Last; index++)
        {
            if (_log[index].Operations.Any(other => other.Operation.Keyspace == keyspace && other.Policy != policy))
                return true;
        }
        return false;
    }

    /// <summary>Notes a request for a barrier, which is confirmed by the next round that begins [S7].</summary>
    void BeginBarrier(ReplicaBatch batch, Requester requester)
    {
        _wantedAt = Now;
        if (_barriers.Count >= _settings.MaxBarriers)
            Reply(batch, requester, SerialOutcome.Busy);
        else if (TakesRequests)
            _barriers.Add((requester, _round + 1, Kept.Token));
        else
            Reply(batch, requester, SerialOutcome.NotSequencer);
    }

    /// <summary>Returns the outcome that is recorded of a lane. A transaction that waits is found by its identity.</summary>
    static async ValueTask<RecordedOutcome> FindOutcomeAsync(ReplicaBatch batch, CallerLane caller)
    {
        var keyspace = batch.FindOrAddKeyspace(CallerLane.Keyspace, MergePolicy.Serial);
        return RecordedOutcome.Of(await batch.ReadAsync(batch.KeyOf(keyspace, caller.ToKey())).ConfigureAwait(false));
    }

    /// <summary>Takes up the entries that an earlier sequencer has left.</summary>
    void BeginRequests()
    {
        ClearRequests();
        _isUniqueLoaded = false;
        for (ulong index = Kept.Base + 1; index <= _log.Last; index++)
            Note(_log[index], index);
    }

    void Note(SequenceEntry entry, ulong index)
    {
        if (entry.HasOutcome)
            _entryOf[entry.Id] = index;
        foreach (var operation in entry.Operations)
            _writes.Note(index, operation.Operation);
    }

    /// <summary>Answers those whose entries are applied by the batch, and forgets the entries.</summary>
    void AnswerApplied(ReplicaBatch batch, ulong first, ulong last, VersionVector token)
    {
        for (ulong index = first; index <= last; index++)
        {
            var entry = _log[index];
            if (_waiting.Remove(index, out var requester))
                ReplyOutcome(batch, requester, entry.Outcome, token);
            if (entry.HasOutcome)
                _entryOf.Remove(entry.Id);
            foreach (var (_, operation) in entry.Operations)
                _writes.Forget(index, operation);
        }
    }

    void TellBarriers(ReplicaBatch batch, ulong confirmed)
    {
        foreach (var (requester, _, token) in _barriers.FindAll(barrier => barrier.Round <= confirmed))
            Reply(batch, requester, SerialOutcome.Done, token);
        _barriers.RemoveAll(barrier => barrier.Round <= confirmed);
    }

    /// <summary>Tells those who wait that this store is no longer the sequencer.</summary>
    void Resign(ReplicaBatch batch)
    {
        foreach (var requester in _waiting.Values)
            Reply(batch, requester, SerialOutcome.Unknown);
        foreach (var (requester, _, _) in _barriers)
            Reply(batch, requester, SerialOutcome.Unknown);
    }

    void ClearRequests()
    {
        _waiting.Clear();
        _entryOf.Clear();
        _writes.Clear();
        _barriers.Clear();
    }

    void ReplyOutcome(ReplicaBatch batch, Requester requester, RecordedOutcome outcome, VersionVector token) => Reply(
        batch, requester, outcome.Refusal is null ? SerialOutcome.Done : SerialOutcome.Conflict, token, outcome);

    void Reply(ReplicaBatch batch, Requester requester, SerialOutcome outcome, VersionVector? token = null, RecordedOutcome recorded = default)
    {
        byte? sequencer = outcome == SerialOutcome.Unknown ? null : Current;
        var reply = new SequencerReply(requester.Attempt, outcome, token ?? Kept.Token, sequencer)
        {
            Refusal = recorded.Refusal,
            Numbers = recorded.Numbers ?? [],
            Founding = Kept.Founding,
        };
        if (requester.Node == _replica.Node)
            _replies.Add((reply, _replica.Node, 0));
        else
            batch.Outbox.Add(new Outgoing(requester.Node, requester.Session, reply.Wrap()));
    }
}
