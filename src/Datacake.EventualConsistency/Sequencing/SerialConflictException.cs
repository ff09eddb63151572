namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The exception that is thrown when a condition of a serial transaction did not hold. The transaction took no effect, and never will.</summary>
sealed class SerialConflictException(SerialTransaction transaction, int condition) : Exception(
    $"The document {transaction.Conditions[condition].Key} of the keyspace '{transaction.Conditions[condition].Keyspace}' has changed since it was read. Nothing was written. "
        + "Read it again, and retry the transaction if it still applies.")
{
    /// <summary>Gets the transaction.</summary>
    public SerialTransaction Transaction => transaction;

    /// <summary>Gets the index of the condition that did not hold.</summary>
    public int Condition => condition;
}
