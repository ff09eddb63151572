using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The exception that is thrown when a sequencer has refused a serial transaction. The transaction took no effect, and never will.</summary>
sealed class SerialConflictException(SerialTransaction transaction, SerialRefusal refusal) : Exception(Describe(transaction, refusal))
{
    /// <summary>Gets the transaction.</summary>
    public SerialTransaction Transaction => transaction;

    /// <summary>Gets the reason.</summary>
    public SerialRefusal Refusal => refusal;

    /// <summary>Gets the index of the document's condition that did not hold; -1 if there is another reason.</summary>
    public int Condition => refusal.Reason == RefusalReason.Document ? refusal.Condition : -1;

    /// <summary>Gets the keyspace that the reason is about.</summary>
    public string Keyspace => KeyspaceOf(transaction, refusal);

    static string KeyspaceOf(SerialTransaction transaction, SerialRefusal refusal) => refusal.Reason switch
    {
        RefusalReason.Document => transaction.Conditions[refusal.Condition].Keyspace,
        RefusalReason.Unique or RefusalReason.Reserved or RefusalReason.OtherPolicy or RefusalReason.Bounded => transaction.Effects.Operations[refusal.Condition].Keyspace,
        RefusalReason.NoNumber => SerialNumber.Keyspace,
        _ => transaction.Ranges[refusal.Condition].Keyspace,
    };

    static string Describe(SerialTransaction transaction, SerialRefusal refusal)
    {
        string keyspace = $"the keyspace '{KeyspaceOf(transaction, refusal)}'";
        return refusal.Reason switch
        {
            RefusalReason.Document =>
                $"The document {transaction.Conditions[refusal.Condition].Key} of {keyspace} has changed since it was read. Nothing was written. "
                    + "Read it again, and retry the transaction if it still applies.",
            RefusalReason.Unique =>
                $"The document {transaction.Effects.Operations[refusal.Condition].Key} of {keyspace} has the values that the document {refusal.Owner} has in the unique index '{refusal.Index}'. "
                    + "Nothing was written. Write another value.",
            RefusalReason.Reserved => SerialOperation.DescribeReserved(transaction.Effects.Operations[refusal.Condition]),
            RefusalReason.OtherPolicy =>
                $"The document {transaction.Effects.Operations[refusal.Condition].Key} of {keyspace} was not written, because {keyspace} has another merge policy on the sequencer than on this node. "
                    + "Nothing was written. Declare the keyspace alike on all nodes, and retry when they run the same version.",
            RefusalReason.Bounded => BoundedReplacement.Describe(transaction.Effects.Operations[refusal.Condition]),
            RefusalReason.NoNumber =>
                $"The sequence '{transaction.Numbers[refusal.Condition].Sequence}' has no number left up to {transaction.Numbers[refusal.Condition].Max}. Nothing was written. Use a larger type.",
            RefusalReason.TooMuch =>
                $"The transaction has read more documents of {keyspace} than a sequencer checks. Nothing was written. Read less in one transaction.",
            RefusalReason.UnknownIndex =>
                $"The sequencer does not have the index '{transaction.Ranges[refusal.Condition].Index}' of {keyspace}, because its application is of another version. Nothing was written. "
                    + "Read a range of keys instead, or retry when all nodes run the same version.",
            RefusalReason.NotSerial => $"The transaction has read a range of {keyspace}, which is not serial on the sequencer. Nothing was written. Read serial keyspaces only.",
            _ => $"A range of {keyspace} has changed since it was read. Nothing was written. Read it again, and retry the transaction if it still applies.",
        };
    }
}
