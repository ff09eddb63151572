using Datacake.Crdt;
using Datacake.EventualConsistency.Sequencing;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency;

/// <summary>The check of a serial transaction before it is sent: it has nothing that a sequencer would refuse whatever the documents are.</summary>
static class SerialTransactionCheck
{
    /// <summary>Checks a transaction.</summary>
    /// <exception cref="ArgumentException">The transaction has too much, or something that cannot be written serially.</exception>
    public static void Check(SerialTransaction transaction, SerialOperation[] operations, ReplicatedStoreOptions options)
    {
        if (transaction.Effects.Requirements.Count > 0)
            throw new ArgumentException("A serial transaction cannot have requirements that are functions, because another node checks it. Nothing was written.", nameof(transaction));
        foreach (var (policy, operation) in operations)
        {
            if (new SerialOperation(policy, operation).IsReserved)
                throw new ArgumentException(SerialOperation.DescribeReserved(operation), nameof(transaction));
            if (policy == MergePolicy.Serial && !operation.Expires.IsNone)
            {
                throw new ArgumentException(
                    $"The document {operation.Key} of the serial keyspace '{operation.Keyspace}' cannot expire: whether it is there would depend on the clock of each node. Nothing was written. "
                        + "Put it without an expiry, and delete it when it is no longer needed.", nameof(transaction));
            }
            if (policy == MergePolicy.Serial && operation.Kind == DocumentOperationKind.Update)
            {
                throw new ArgumentException(
                    $"The update of the document {operation.Key} of the keyspace '{operation.Keyspace}' is not possible, because serial documents are written as a whole. "
                        + "Nothing was written. Put the whole document.", nameof(transaction));
            }
            if (operation.Counters.Count > 0)
            {
                throw new ArgumentException(
                    $"The serial transaction adds to the counter '{operation.Counters[0].Property}' of the document {operation.Key} of the keyspace '{operation.Keyspace}'. "
                        + "That is not supported, because a sequencer may have to apply a transaction again, which would count twice. Nothing was written. Add to counters in a transaction of its own.",
                    nameof(transaction));
            }
        }
        // Another node would take more for damaged, and end the session.
        CheckCount(transaction.Effects.Count, OperationRecord.MaxAsked, "operations");
        CheckCount(transaction.Conditions.Count, SerialCondition.MaxConditions, "conditions");
        CheckCount(transaction.Ranges.Count, SerialRange.MaxRanges, "ranges");
        CheckCount(transaction.UniqueIndexes.Count, UniqueIndex.MaxIndexes, "unique indexes");
        CheckCount(transaction.Numbers.Count, SerialNumber.MaxNumbers, "numbers");
        foreach (var number in transaction.Numbers)
            CheckCount(number.Places.Count, SerialNumber.MaxNumbers, $"places of one number of the sequence '{number.Sequence}'");
        if (transaction.Effects.Count > 0)
            TransactionCheck.Check(transaction.Effects, options, UnnumberedOf(transaction));
    }

    /// <summary>Returns the indexes of the operations whose keys get numbers, so that they are only known then; null if there are none.</summary>
    static HashSet<int>? UnnumberedOf(SerialTransaction transaction) => transaction.Numbers.Count == 0
        ? null
        : [.. transaction.Numbers.SelectMany(static number => number.Places).Where(static place => place.Offset >= 0).Select(static place => place.Operation)];

    static void CheckCount(int count, int limit, string what)
    {
        if (count > limit)
            throw new ArgumentException($"A serial transaction has {count} {what}. The limit is {limit}. Nothing was written. Read or write less in one transaction.");
    }
}
