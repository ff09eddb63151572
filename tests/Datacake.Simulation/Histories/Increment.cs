using Datacake.Crdt;

namespace Datacake.Simulation.Histories;

/// <summary>An amount that a transaction added to the counter of a document. <see cref="Base"/> is the stamp of the put it was added to.</summary>
readonly record struct Increment(int Slot, HlcTimestamp Base, long Amount);
