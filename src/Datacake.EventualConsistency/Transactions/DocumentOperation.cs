using Datacake.Crdt;

namespace Datacake.EventualConsistency.Transactions;

/// <summary>The operation of a transaction on one document.</summary>
sealed record DocumentOperation(
    DocumentOperationKind Kind, string Keyspace, DocumentKey Key, DocumentContent Content, IReadOnlyList<CounterIncrement> Counters);
