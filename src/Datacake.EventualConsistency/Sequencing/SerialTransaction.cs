namespace Datacake.EventualConsistency.Sequencing;

/// <summary>A serial transaction: its effects, and what must be so for it to take effect.</summary>
/// <param name="Effects">The effects. Its own requirements must be empty, because the sequencer cannot call functions of another node.</param>
/// <param name="Conditions">The documents that were read.</param>
sealed record SerialTransaction(Transaction Effects, IReadOnlyList<SerialCondition> Conditions)
{
    /// <summary>Gets the ranges that were read.</summary>
    public IReadOnlyList<SerialRange> Ranges { get; init; } = [];

    /// <summary>Gets the unique indexes of the keyspaces that are written.</summary>
    public IReadOnlyList<UniqueIndex> UniqueIndexes { get; init; } = [];

    /// <summary>Gets the numbers that the sequencer assigns, whose places are in the operations of <see cref="Effects"/>.</summary>
    public IReadOnlyList<SerialNumber> Numbers { get; init; } = [];

    /// <summary>Returns the proposal to the sequencer.</summary>
    /// <param name="operations">The effects, with the policies of their keyspaces.</param>
    public SerialProposal ToProposal(IReadOnlyList<SerialOperation> operations) =>
        new() { Conditions = Conditions, Ranges = Ranges, UniqueIndexes = UniqueIndexes, Operations = operations, Numbers = Numbers };
}
