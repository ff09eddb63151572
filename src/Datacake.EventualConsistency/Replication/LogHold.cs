using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>The part of the transaction log that is kept for durable consumers although every member has it.</summary>
/// <param name="Processed">The transactions that all consumers have processed.</param>
/// <param name="Limit">The stamp up to which transactions are truncated nevertheless.</param>
sealed record LogHold(VersionVector Processed, HlcTimestamp Limit)
{
    /// <summary>Returns the transactions of a set that may be truncated.</summary>
    public VersionVector Release(VersionVector stable) => stable.Intersect(Processed).Union(stable.Between(HlcTimestamp.None, Limit));
}
