namespace Datacake.EventualConsistency;

/// <summary>
/// The exception that is thrown when a document on the local replica does not meet, or no longer meets, a condition of a transaction.
/// Nothing was written.
/// </summary>
public sealed class TransactionConflictException : Exception
{
    /// <summary>Creates the exception.</summary>
    public TransactionConflictException(string keyspace, DocumentKey key)
        : base($"The document {key} of the keyspace '{keyspace}' does not meet a condition of the transaction: another writer has changed or "
            + "deleted it. Nothing was written. Read the document again, and retry the transaction if it still applies.")
    {
        Keyspace = keyspace;
        Key = key;
    }

    /// <summary>Gets the keyspace of the document.</summary>
    public string Keyspace { get; }

    /// <summary>Gets the key of the document.</summary>
    public DocumentKey Key { get; }
}
