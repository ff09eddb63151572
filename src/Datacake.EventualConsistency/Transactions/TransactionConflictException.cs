namespace Datacake.EventualConsistency;

/// <summary>A document was not, or no longer, as a transaction requires it to be on the local replica. Nothing was written.</summary>
public sealed class TransactionConflictException : Exception
{
    /// <summary>Creates the exception.</summary>
    public TransactionConflictException(string keyspace, DocumentKey key)
        : base($"The document {key} of the keyspace '{keyspace}' is not as the transaction requires: another writer has changed or deleted it. "
            + "Nothing was written. Read it again, and decide anew.")
    {
        Keyspace = keyspace;
        Key = key;
    }

    /// <summary>The keyspace.</summary>
    public string Keyspace { get; }

    /// <summary>The key.</summary>
    public DocumentKey Key { get; }
}
