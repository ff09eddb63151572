using Datacake.Crdt;
using Datacake.EventualConsistency.Escrow;

namespace Datacake.EventualConsistency.Transactions;

/// <summary>The replacement of a living document that has a counter with bounds, which is refused: the shares of other nodes would be lost [E1].</summary>
/// <remarks>See ESCROW.md.</remarks>
static class BoundedReplacement
{
    /// <summary>Returns true if an operation replaces a living document with a bounded counter.</summary>
    /// <param name="operation">The operation.</param>
    /// <param name="current">The present document.</param>
    /// <param name="policy">The merge policy of the keyspace. Serial documents have no counters.</param>
    /// <param name="now">The instant of the wall clock.</param>
    public static bool IsBy(DocumentOperation operation, Document current, MergePolicy policy, HlcTimestamp now) =>
        operation.IsPut && policy != MergePolicy.Serial && BoundedCounter.HasAny(current) && current.IsAliveAt(now, policy);

    /// <summary>Returns the message for the caller.</summary>
    public static string Describe(DocumentOperation operation) =>
        $"The document {operation.Key} of the keyspace '{operation.Keyspace}' has a counter with bounds, and cannot be replaced: what other nodes subtract from the counter meanwhile would be lost. "
            + "Nothing was written. Update the document, or delete it first.";
}
