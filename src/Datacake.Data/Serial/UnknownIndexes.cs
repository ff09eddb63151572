using Datacake.EventualConsistency.Sequencing;

namespace Datacake.Data.Serial;

/// <summary>
/// The indexes that a sequencer does not have, because the context was not used on its node, or in another version. Learned from its refusals.
/// </summary>
sealed class UnknownIndexes
{
    readonly HashSet<(string Keyspace, string Index)> _known = [];

    public bool Contains(string keyspace, string index) => _known.Contains((keyspace, index));

    /// <summary>Adds the index for which a transaction was refused. Returns false if there is none, or if it is known already.</summary>
    public bool Add(SerialConflictException refused) => refused.Refusal.Reason == RefusalReason.UnknownIndex
        && refused.Transaction.Ranges[refused.Refusal.Condition] is { Index: { } index, Keyspace: var keyspace } && _known.Add((keyspace, index));
}
