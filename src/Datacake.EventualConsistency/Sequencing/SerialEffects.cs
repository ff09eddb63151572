using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The effects of consecutive entries together: of several writes of a document, the last one.</summary>
sealed class SerialEffects
{
    readonly Dictionary<(string Keyspace, DocumentKey Key), SerialOperation> _operations = [];
    readonly Dictionary<CallerLane, RecordedOutcome> _outcomes = [];
    readonly HashSet<CallerLane> _outdated = [];

    /// <summary>Adds the effects and the outcome of the next entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="hasNumbers">True if the last numbers of sequences are among the effects.</param>
    public void Add(SequenceEntry entry, bool hasNumbers)
    {
        foreach (var operation in entry.Operations.Where(operation => hasNumbers || operation.Operation.Keyspace != SerialNumber.Keyspace))
            _operations[(operation.Operation.Keyspace, operation.Operation.Key)] = operation;
        if (entry.HasOutcome)
            _outcomes[entry.Id.Caller] = entry.Outcome;
    }

    /// <summary>Adds the removal of the records of lanes that nobody can use any more.</summary>
    public void Forget(IEnumerable<CallerLane> lanes) => _outdated.UnionWith(lanes);

    /// <summary>
    /// Returns the transaction that has the effects and records the outcomes, or null if there are none. Adds keyspaces that the store does not have.
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="earlier">The stamps of all earlier effects.</param>
    public async ValueTask<Transaction?> ToTransactionAsync(ReplicaBatch batch, VersionVector earlier)
    {
        if (_outcomes.Count + _operations.Count == 0)
            return null;
        var transaction = new Transaction();
        foreach (var (policy, operation) in _operations.Values)
        {
            var keyspace = batch.FindOrAddKeyspace(operation.Keyspace, policy);
            // Merging documents may have changed meanwhile, and an update of what is deleted has no effect.
            if (operation.Kind == DocumentOperationKind.Update && !(await batch.ReadAsync(batch.KeyOf(keyspace, operation.Key)).ConfigureAwait(false)).IsAlive(keyspace.Policy))
                continue;
            transaction.Add(operation);
        }
        batch.FindOrAddKeyspace(CallerLane.Keyspace, MergePolicy.Serial);
        transaction.Put(CallerLane.Keyspace, SerialPosition.Key, SerialPosition.ToContent(earlier));
        foreach (var (caller, outcome) in _outcomes)
            transaction.Put(CallerLane.Keyspace, caller.ToKey(), outcome.ToContent());
        foreach (var lane in _outdated.Where(lane => !_outcomes.ContainsKey(lane)))
            transaction.Delete(CallerLane.Keyspace, lane.ToKey());
        return transaction;
    }
}
