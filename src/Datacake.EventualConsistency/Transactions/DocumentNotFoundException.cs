namespace Datacake.EventualConsistency;

/// <summary>An update names a document that the local store does not show, or no longer: it was deleted here or on another node.</summary>
public sealed class DocumentNotFoundException : Exception
{
    /// <summary>Creates the exception.</summary>
    public DocumentNotFoundException(string keyspace, DocumentKey key)
        : base($"The document {key} of the keyspace '{keyspace}' cannot be updated, for it does not exist here, or not any more: another writer may have "
            + "deleted it. Nothing was written. Read it again, or put the whole document.")
    {
        Keyspace = keyspace;
        Key = key;
    }

    /// <summary>The keyspace.</summary>
    public string Keyspace { get; }

    /// <summary>The key.</summary>
    public DocumentKey Key { get; }
}
