using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The effects of consecutive entries together: of several writes of a document, the last one, or all updates of parts of it.</summary>
sealed class SerialEffects
{
    readonly Dictionary<(string Keyspace, DocumentKey Key), SerialOperation> _operations = [];
    readonly Dictionary<CallerLane, RecordedOutcome> _outcomes = [];
    readonly HashSet<CallerLane> _outdated = [];

    /// <summary>Adds the effects and the outcome of the next entry.</summary>
    /// <param name="entry">The entry.</param>
    /// <param name="hasNumbers">True if the last numbers of sequences are among the effects.</param>
    /// <param name="isDone">
    /// True if the store has the effects already, from an earlier sequencer. Its writes to merging documents are then left out: other nodes may have changed these
    /// documents since, and a later stamp would put them back.
    /// </param>
    public void Add(SequenceEntry entry, bool hasNumbers, bool isDone)
    {
        foreach (var operation in entry.Operations.Where(operation => hasNumbers || operation.Operation.Keyspace != SerialNumber.Keyspace))
        {
            if (isDone && operation.Policy != MergePolicy.Serial)
                continue;
            var place = (operation.Operation.Keyspace, operation.Operation.Key);
            _operations[place] = operation.Operation.Kind == DocumentOperationKind.Update && _operations.TryGetValue(place, out var before) ? Combine(before, operation) : operation;
        }
        if (entry.HasOutcome)
            _outcomes[entry.Id.Caller] = entry.Outcome;
    }

    /// <summary>Returns an operation with the effect of two consecutive ones, of which the second changes a part of the document.</summary>
    static SerialOperation Combine(SerialOperation before, SerialOperation update)
    {
        // An update of a deleted document has no effect.
        if (before.Operation.Kind == DocumentOperationKind.Delete)
            return before;
        var paths = new HashSet<string>();
        var content = new DocumentContentBuilder(before.Operation.Content.Length + update.Operation.Content.Length);
        foreach (var cell in update.Operation.Content)
        {
            paths.Add(Convert.ToHexString(cell.EncodedPath));
            Add(cell);
        }
        foreach (var cell in before.Operation.Content)
        {
            if (!paths.Contains(Convert.ToHexString(cell.EncodedPath)))
                Add(cell);
        }
        return before with { Operation = before.Operation with { Content = content.Build() } };

        void Add(DocumentCell cell)
        {
            if (cell.IsRemoved)
                content.Remove(cell.EncodedPath);
            else
                content.Set(cell.EncodedPath, cell.Value);
        }
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
            if (operation.Kind == DocumentOperationKind.Update && !(await batch.ReadAsync(batch.KeyOf(keyspace, operation.Key)).ConfigureAwait(false)).IsAliveAt(batch.Now, keyspace.Policy))
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
