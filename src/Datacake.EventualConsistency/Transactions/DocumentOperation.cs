using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>The operation of a transaction on one document.</summary>
public sealed record DocumentOperation(
    DocumentOperationKind Kind, string Keyspace, DocumentKey Key, DocumentContent Content, IReadOnlyList<CounterIncrement> Counters);
