using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Scenarios;

namespace Datacake.Simulation.Histories;

/// <summary>All transactions that were ever made, including those that every replica has lost.</summary>
sealed class History(IReadOnlyList<Slot> slots)
{
    readonly List<HistoricTransaction> _transactions = [];
    readonly Dictionary<HlcTimestamp, int> _numbers = [];

    public IReadOnlyList<HistoricTransaction> Transactions => _transactions;

    public HistoricTransaction this[int number] => _transactions[number];

    public HistoricTransaction? Find(HlcTimestamp stamp) => _numbers.TryGetValue(stamp, out int number) ? _transactions[number] : null;

    /// <summary>
    /// Records a transaction. If a stamp is used again because all traces of its first use are lost, the new transaction replaces the old one.
    /// </summary>
    public HistoricTransaction Add(Mutation mutation, HlcTimestamp run, Holdings past, bool isOfUser, IReadOnlyList<Increment> increments)
    {
        var effects = mutation.Deltas.Where(static delta => !IsOfSequencer(delta.Name)).Select(delta => (SlotOf(delta.Name), delta.Document)).ToArray();
        if (!_numbers.TryGetValue(mutation.Stamp, out int number))
        {
            number = _transactions.Count;
            _numbers.Add(mutation.Stamp, number);
            _transactions.Add(null!);
        }
        return _transactions[number] = new HistoricTransaction(number, mutation.Stamp, run, effects, past, isOfUser, increments);
    }

    /// <summary>Merges the documents that a replica with exactly these transactions must show.</summary>
    public void MergeInto(Document[] documents, Holdings held)
    {
        foreach (int number in held.Transactions)
        {
            foreach (var (slot, delta) in _transactions[number].Effects)
                documents[slot] = Document.Merge(documents[slot], delta);
        }
    }

    /// <summary>Returns true if a document is a record of the sequencers, such as of an outcome, and none of the scenario's.</summary>
    public static bool IsOfSequencer(DocumentName name) => name.Keyspace.StartsWith("datacake.", StringComparison.Ordinal);

    public int SlotOf(DocumentName name)
    {
        foreach (var slot in slots)
        {
            if (slot.Keyspace == name.Keyspace && slot.Key.Encoded.Span.SequenceEqual(name.Key.Span))
                return slot.Number;
        }
        throw new Violation("no other documents", $"A document of '{name.Keyspace}' exists that was never written.");
    }
}
