using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;

namespace Datacake.EventualConsistency.Transactions;

/// <summary>The check that refuses a transaction that cannot be stored or sent, before anything is done with it.</summary>
static class TransactionCheck
{
    /// <summary>The maximum length of a transaction, in bytes: it must fit into one message between nodes.</summary>
    public const int MaxTransactionLength = 12 * 1024 * 1024;

    /// <summary>Returns the length of an operation without its counters, in bytes.</summary>
    public static long LengthOf(string keyspace, DocumentKey key, long contentLength) => contentLength + key.Encoded.Length + Encoding.UTF8.GetByteCount(keyspace) + 64;

    /// <summary>Checks a transaction.</summary>
    /// <param name="transaction">The transaction.</param>
    /// <param name="options">The limits.</param>
    /// <param name="unnumbered">The indexes of the operations whose keys are not known yet, because numbers become part of them; null if there are none.</param>
    /// <exception cref="ArgumentException">The transaction is invalid. The message says what is wrong, and where.</exception>
    public static void Check(Transaction transaction, ReplicatedStoreOptions options, IReadOnlySet<int>? unnumbered = null)
    {
        if (transaction.Count == 0)
            throw new ArgumentException("The transaction is empty. Add at least one operation before the commit.", nameof(transaction));
        long length = 0;
        HashSet<string>? counters = null;
        var seen = transaction.IsAscending ? null : new HashSet<(string, DocumentKey)>(transaction.Count);
        for (int i = 0; i < transaction.Count; i++)
        {
            var operation = transaction.Operations[i];
            KeyspaceCatalog.CheckArgument(operation.Keyspace, nameof(transaction));
            if (operation.Key.Encoded.IsEmpty)
                throw new ArgumentException($"A document of the keyspace '{operation.Keyspace}' has no key.", nameof(transaction));
            if (operation.Content.Length > options.MaxDocumentLength)
            {
                throw new TransactionLimitException(
                    $"The document {operation.Key} of the keyspace '{operation.Keyspace}' has {operation.Content.Length} bytes. The limit is {options.MaxDocumentLength} "
                    + $"({nameof(ReplicatedStoreOptions)}.{nameof(ReplicatedStoreOptions.MaxDocumentLength)}). Remove some of its content, or split it into several documents.",
                    operation.Content.Length, options.MaxDocumentLength, operation);
            }
            if (unnumbered?.Contains(i) != true && seen?.Add((operation.Keyspace, operation.Key)) == false)
            {
                throw new ArgumentException(
                    $"The transaction writes to the document {operation.Key} of the keyspace '{operation.Keyspace}' more than once.", nameof(transaction));
            }
            length += LengthOf(operation.Keyspace, operation.Key, operation.Content.Length);
            counters?.Clear();
            for (int j = 0; j < operation.Counters.Count; j++)
            {
                string property = operation.Counters[j].Property;
                if (!(counters ??= []).Add(property))
                {
                    throw new ArgumentException(
                        $"The transaction adds to the counter '{property}' of the document {operation.Key} of the keyspace '{operation.Keyspace}' more than once.",
                        nameof(transaction));
                }
                if (operation.Counters[j] is { Minimum: { } minimum, Maximum: { } maximum } && minimum > maximum)
                {
                    throw new ArgumentException(
                        $"The counter '{property}' of the document {operation.Key} of the keyspace '{operation.Keyspace}' has the minimum {minimum}, which is greater than its maximum {maximum}.",
                        nameof(transaction));
                }
                length += LengthOfShare(property, operation, nameof(transaction));
            }
        }
        if (length > MaxTransactionLength)
        {
            throw new TransactionLimitException(
                $"The transaction has about {length} bytes in {transaction.Count} documents. The limit is {MaxTransactionLength}. Commit it in parts.", length, MaxTransactionLength);
        }
    }

    /// <summary>Returns the encoded length of a counter's share.</summary>
    static int LengthOfShare(string property, DocumentOperation operation, string parameter)
    {
        try
        {
            return DocumentPath.OfCounterShare(property, HlcTimestamp.None, HlcTimestamp.None).Encoded.Length + CounterValue.Size + 64;
        }
        catch (ArgumentException e)
        {
            // The name of the inner parameter means nothing to the caller.
            string reason = e.Message.Replace($" (Parameter '{e.ParamName}')", "", StringComparison.Ordinal);
            throw new ArgumentException(
                $"A counter of the document {operation.Key} of the keyspace '{operation.Keyspace}' has an invalid name: {reason}", parameter, e);
        }
    }
}
