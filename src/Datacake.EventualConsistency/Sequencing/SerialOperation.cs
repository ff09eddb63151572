using Datacake.Crdt;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>An operation of a serial transaction.</summary>
/// <param name="Policy">The merge policy of the keyspace, for a sequencer whose store does not have the keyspace yet.</param>
/// <param name="Operation">The operation.</param>
readonly record struct SerialOperation(MergePolicy Policy, DocumentOperation Operation)
{
    /// <summary>The prefix of the names of the store's own keyspaces.</summary>
    const string ReservedPrefix = "datacake.";

    /// <summary>The store's own keyspaces that serial transactions write to: the leases, the positions of consumers, and the notes of serial seeds.</summary>
    const string Leases = "datacake.leases", Consumers = "datacake.consumers", Seeds = "datacake.seeds.serial";

    /// <summary>
    /// True if only sequencers may make the operation: it writes to their records of outcomes, numbers or unique indexes, or to a keyspace that is reserved for later versions. A record of
    /// a unique index may be deleted, which ends its enforcement [S4].
    /// </summary>
    public bool IsReserved => Operation.Keyspace.StartsWith(ReservedPrefix, StringComparison.Ordinal) && Operation.Keyspace switch
    {
        Leases or Consumers or Seeds => false,
        UniqueIndex.RecordKeyspace => Operation.Kind != DocumentOperationKind.Delete,
        _ => true,
    };

    /// <summary>Returns the message for a reserved operation.</summary>
    public static string DescribeReserved(DocumentOperation operation) =>
        $"The serial transaction writes to the keyspace '{operation.Keyspace}', whose name begins with '{ReservedPrefix}': only the store itself writes to it. Nothing was written. Use another keyspace.";

    /// <summary>The stamp of a document that is made of a content, before a transaction gives the content its stamp.</summary>
    public static HlcTimestamp NoStampYet { get; } = new(1);
}
