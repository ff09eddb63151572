using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing;

namespace Datacake.EventualConsistency.Remote;

/// <summary>The operations of a member for stores that are none.</summary>
/// <param name="Commit">Commits a transaction at a level.</param>
/// <param name="ReadKnown">Returns what the store has, once it has what members have at a level.</param>
/// <param name="Members">Returns the members.</param>
/// <param name="ExpectedNodes">The number of nodes that are expected.</param>
/// <param name="Timeout">The time that commits wait for other members.</param>
sealed record MemberOperations(
    Func<SerialTransaction, Consistency, ValueTask<CommitResult>> Commit, Func<Consistency, CancellationToken, ValueTask<VersionVector>> ReadKnown,
    Func<IReadOnlyList<ConsistencyMember>> Members, int ExpectedNodes, TimeSpan Timeout);
