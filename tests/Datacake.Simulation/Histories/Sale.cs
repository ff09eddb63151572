using Datacake.Crdt;

namespace Datacake.Simulation.Histories;

/// <summary>A change of a bounded counter that a user was told to have succeeded.</summary>
/// <param name="Number">The number of the transaction in the history.</param>
/// <param name="Slot">The document.</param>
/// <param name="Base">The put of the document that the counter belongs to.</param>
/// <param name="Amount">The amount that was added.</param>
sealed record Sale(int Number, int Slot, HlcTimestamp Base, long Amount);
