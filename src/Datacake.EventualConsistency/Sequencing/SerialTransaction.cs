namespace Datacake.EventualConsistency.Sequencing;

/// <summary>A serial transaction: its effects, and what must be so for it to take effect.</summary>
/// <param name="Effects">The effects. Its own requirements must be empty, because the sequencer cannot call functions of another node.</param>
/// <param name="Conditions">What was read.</param>
sealed record SerialTransaction(Transaction Effects, IReadOnlyList<SerialCondition> Conditions);
