namespace Datacake.EventualConsistency;

/// <summary>A transaction is too large, or a document in it. Nothing was written.</summary>
public sealed class TransactionLimitException : ArgumentException
{
    internal TransactionLimitException(string message, long length, long limit, DocumentOperation? operation = null)
        : base(message, "transaction")
    {
        Length = length;
        Limit = limit;
        Keyspace = operation?.Keyspace;
        Key = operation?.Key;
    }

    /// <summary>Gets the length in bytes.</summary>
    public long Length { get; }

    /// <summary>Gets the greatest length in bytes.</summary>
    public long Limit { get; }

    /// <summary>Gets the keyspace of the document that is too large; null if the transaction as a whole is.</summary>
    public string? Keyspace { get; }

    /// <summary>Gets the key of the document that is too large; null if the transaction as a whole is.</summary>
    public DocumentKey? Key { get; }
}
