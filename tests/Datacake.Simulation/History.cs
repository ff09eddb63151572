using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.Simulation;

/// <summary>An amount that a transaction added to the counter of a document, as it was put by <see cref="Base"/>.</summary>
readonly record struct Increment(int Slot, HlcTimestamp Base, long Amount);

/// <summary>A transaction of some replica, as the omniscient history has it.</summary>
/// <param name="Number">Its place in the history.</param>
/// <param name="Stamp">Its stamp.</param>
/// <param name="Run">The run of the replica that made it.</param>
/// <param name="Effects">What it does to which document.</param>
/// <param name="Past">What its replica had when it made it.</param>
/// <param name="IsOfUser">Whether a user made it; else a full reconcile did.</param>
/// <param name="Increments">What it added to counters.</param>
sealed record HistoricTransaction(
    int Number, HlcTimestamp Stamp, HlcTimestamp Run, IReadOnlyList<(int Slot, Document Delta)> Effects, Holdings Past, bool IsOfUser,
    IReadOnlyList<Increment> Increments)
{
    public Document? EffectOn(int slot)
    {
        foreach (var (found, delta) in Effects)
        {
            if (found == slot)
                return delta;
        }
        return null;
    }
}

/// <summary>All transactions that were ever made, whoever lost them since.</summary>
sealed class History(IReadOnlyList<Slot> slots)
{
    readonly List<HistoricTransaction> _transactions = [];
    readonly Dictionary<HlcTimestamp, int> _numbers = [];

    public IReadOnlyList<HistoricTransaction> Transactions => _transactions;

    public HistoricTransaction this[int number] => _transactions[number];

    public HistoricTransaction? Find(HlcTimestamp stamp) => _numbers.TryGetValue(stamp, out int number) ? _transactions[number] : null;

    /// <summary>
    /// Notes a transaction. One whose stamp is used for the second time, since all traces of the first are lost, takes its place.
    /// </summary>
    public HistoricTransaction Add(Mutation mutation, HlcTimestamp run, Holdings past, bool isOfUser, IReadOnlyList<Increment> increments)
    {
        var effects = mutation.Deltas.Select(delta => (SlotOf(delta.Name), delta.Document)).ToArray();
        if (!_numbers.TryGetValue(mutation.Stamp, out int number))
        {
            number = _transactions.Count;
            _numbers.Add(mutation.Stamp, number);
            _transactions.Add(null!);
        }
        return _transactions[number] = new HistoricTransaction(number, mutation.Stamp, run, effects, past, isOfUser, increments);
    }

    /// <summary>What a replica that has just these transactions has to show.</summary>
    public void MergeInto(Document[] documents, Holdings held)
    {
        foreach (int number in held.Transactions)
        {
            foreach (var (slot, delta) in _transactions[number].Effects)
                documents[slot] = Document.Merge(documents[slot], delta);
        }
    }

    public int SlotOf(DocumentName name)
    {
        foreach (var slot in slots)
        {
            if (slot.Keyspace == name.Keyspace && slot.Key.Encoded.Span.SequenceEqual(name.Key.Span))
                return slot.Number;
        }
        throw new Violation("no other documents", $"there is a document of '{name.Keyspace}' that nobody has written");
    }
}
