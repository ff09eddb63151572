using Datacake.Crdt;

namespace Datacake.EventualConsistency.Transactions;

/// <summary>The operation of a transaction on one document.</summary>
sealed record DocumentOperation(
    DocumentOperationKind Kind, string Keyspace, DocumentKey Key, DocumentContent Content, IReadOnlyList<CounterIncrement> Counters)
{
    /// <summary>Gets the instant at which a put expires; none if it does not.</summary>
    public HlcTimestamp Expires { get; init; }

    /// <summary>True for an update that puts the whole document again, with another expiry.</summary>
    public bool IsRenewal { get; init; }

    /// <summary>True if the operation replaces the whole document.</summary>
    public bool IsPut => Kind == DocumentOperationKind.Put || IsRenewal;
}
