using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>What a document must be, on the local replica and at the moment of the commit, for a transaction to be committed.</summary>
/// <param name="Keyspace">The document's keyspace.</param>
/// <param name="Key">The document's key.</param>
/// <param name="IsMet">Is handed the living document, or <see langword="null"/> if there is none. Must be a pure and fast function.</param>
public sealed record DocumentRequirement(string Keyspace, DocumentKey Key, Func<Document?, bool> IsMet);
