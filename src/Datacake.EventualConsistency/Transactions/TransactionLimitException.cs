using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency;

/// <summary>The exception that is thrown when a transaction, or a document in it, is too large. Nothing was written.</summary>
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

    /// <summary>Gets the length that exceeds the limit, in bytes.</summary>
    public long Length { get; }

    /// <summary>Gets the limit, in bytes.</summary>
    public long Limit { get; }

    /// <summary>Gets the keyspace of the document that is too large; null if the transaction as a whole is too large.</summary>
    public string? Keyspace { get; }

    /// <summary>Gets the key of the document that is too large; null if the transaction as a whole is too large.</summary>
    public DocumentKey? Key { get; }
}
