using Datacake.Crdt;

namespace Datacake.EventualConsistency.Escrow;

/// <summary>The rights of one writer of a bounded counter, as far as a document shows them.</summary>
/// <remarks>See ESCROW.md: right.</remarks>
/// <param name="Run">The run under which the writer has its share.</param>
/// <param name="Store">The store of the writer.</param>
/// <param name="Share">The writer's share, or null if it has only received rights so far.</param>
/// <param name="Down">The amount by which the writer may decrease the counter; negative while a gift to the writer is missing.</param>
/// <param name="Up">The amount by which the writer may increase the counter; negative while a gift to the writer is missing.</param>
sealed record CounterHolder(HlcTimestamp Run, ulong Store, BoundedShare? Share, Int128 Down, Int128 Up)
{
    /// <summary>Returns the rights of a direction.</summary>
    public Int128 Rights(bool isUp) => isUp ? Up : Down;
}
