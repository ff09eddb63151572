using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>What a transaction does to one document.</summary>
public sealed record DocumentOperation(
    DocumentOperationKind Kind, string Keyspace, DocumentKey Key, DocumentContent Content, IReadOnlyList<CounterIncrement> Counters);
