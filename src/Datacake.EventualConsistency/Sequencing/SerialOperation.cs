using Datacake.Crdt;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>An operation of a serial transaction.</summary>
/// <param name="Policy">The merge policy of the keyspace, for a sequencer whose store does not have the keyspace yet.</param>
/// <param name="Operation">The operation.</param>
readonly record struct SerialOperation(MergePolicy Policy, DocumentOperation Operation)
{
    /// <summary>The stamp of a document that is made of a content, before a transaction gives the content its stamp.</summary>
    public static HlcTimestamp NoStampYet { get; } = new(1);
}
