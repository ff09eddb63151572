using Datacake.Crdt;
using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Replication;

// Bounded counters. Numbers such as [E6] refer to the rules in ESCROW.md.
sealed partial class Replica
{
    /// <summary>
    /// The number of ticks after the start in which a write waits for rights that a member has, even if there is no session with it yet.
    /// </summary>
    const int StartTicks = 6;

    int _rightsArrived;
    long _proofTick = -1;       // the tick at which the roll was last called for this
    bool _wantsProof;           // the store has met rights of its earlier runs that it may not use yet

    /// <summary>Gets a number that changes when a peer may have given rights to this store. May be read by any thread.</summary>
    public int RightsArrived => Volatile.Read(ref _rightsArrived);

    /// <summary>Commits a local transaction with increments of counters. If it lacks rights, asks the peers for them.</summary>
    async ValueTask<HlcTimestamp> WriteCountersAsync(ReplicaBatch batch, Transaction transaction)
    {
        HlcTimestamp stamp;
        try
        {
            stamp = await _writer.WriteAsync(batch, transaction).ConfigureAwait(false);
        }
        catch (CounterBoundException e)
        {
            if (Catalog.Find(e.Keyspace) is { } keyspace)
            {
                var document = await batch.ReadAsync(batch.KeyOf(keyspace, e.Key)).ConfigureAwait(false);
                if (e.Withheld > 0)
                    SeekProof(batch);
                bool isStarting = _ticks < StartTicks;
                // Withheld rights become usable by themselves, once all members are heard.
                long withheld = isStarting || Others.All(Sessions.ContainsKey) ? e.Withheld : 0;
                var lacking = Int128.Abs(e.Amount) - e.AvailableHere - withheld;
                e.MayRetry = lacking <= 0 || _balancer.Ask(batch, document, e, lacking, Sessions) || (isStarting && lacking <= e.AvailableElsewhere);
            }
            throw;
        }
        foreach (var operation in transaction.Operations)
        {
            if (operation.Counters.Count > 0 && Catalog.Find(operation.Keyspace) is { } keyspace)
            {
                var document = await batch.ReadAsync(batch.KeyOf(keyspace, operation.Key)).ConfigureAwait(false);
                _balancer.Consider(batch, operation.Keyspace, operation.Key, document, Sessions);
            }
        }
        return stamp;
    }

    /// <summary>Calls the roll for the proof that nothing of the store's earlier runs is missing here [E5], at most once between two ticks.</summary>
    void SeekProof(ReplicaBatch batch)
    {
        _wantsProof = true;
        if (_proofTick == _ticks)
            return;
        _proofTick = _ticks;
        TickGap(batch);
    }

    /// <summary>Notes that the rights of earlier runs can be used, if that is so.</summary>
    void NoteProof(ReplicaBatch batch)
    {
        if (!_wantsProof || _gapCloser.MayLackTail(batch.State, _run.Stamp))
            return;
        _wantsProof = false;
        Interlocked.Increment(ref _rightsArrived);
    }

    /// <summary>Asks for a part of the rights to the bounded counters that a mutation of a peer has changed, if this store has few.</summary>
    async ValueTask ConsiderRightsAsync(ReplicaBatch batch, Mutation mutation)
    {
        foreach (var (name, _, delta) in mutation.Deltas)
        {
            if (!BoundedCounter.HasAny(delta))
                continue;
            Interlocked.Increment(ref _rightsArrived);
            var key = batch.KeyOf(name);
            var document = await batch.ReadAsync(key).ConfigureAwait(false);
            if (Exclusion is null && document.IsAliveAt(batch.Now, batch.PolicyOf(key)))
                _balancer.Consider(batch, name.Keyspace, new DocumentKey(name.Key.ToArray()), document, Sessions);
        }
    }

    async ValueTask OnRightsRequestAsync(ReplicaBatch batch, byte peer, RightsRequest request)
    {
        if (request.Run.Node != peer)
            throw new InvalidDataException($"Node {peer} asks for rights under the run {request.Run}, which is not its own.");
        // A store that has not joined is given none: its first run begins when it joins.
        if (!IsJoined || Exclusion is not null || Sessions[peer].Run.IsNone || Catalog.Find(request.Keyspace) is not { Policy: not MergePolicy.Serial } keyspace)
            return;
        await _writer.GiveRightsAsync(
            batch, batch.KeyOf(keyspace, request.Key), request.Property, request.IsUp, request.Amount, (Sessions[peer].StoreId, request.Run)).ConfigureAwait(false);
    }
}
