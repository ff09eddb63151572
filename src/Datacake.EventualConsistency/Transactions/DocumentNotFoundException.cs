namespace Datacake.EventualConsistency;

/// <summary>
/// The exception that is thrown when an update names a document that the local store does not show, for example because it was deleted on
/// this or another node.
/// </summary>
public sealed class DocumentNotFoundException : Exception
{
    /// <summary>Creates the exception.</summary>
    public DocumentNotFoundException(string keyspace, DocumentKey key)
        : base($"The document {key} of the keyspace '{keyspace}' cannot be updated, because it does not exist on this node. Another writer may have "
            + "deleted it. Nothing was written. Read the document again, or put the whole document.")
    {
        Keyspace = keyspace;
        Key = key;
    }

    /// <summary>Gets the keyspace of the document.</summary>
    public string Keyspace { get; }

    /// <summary>Gets the key of the document.</summary>
    public DocumentKey Key { get; }
}
