using Datacake.Crdt;

namespace Datacake.EventualConsistency.Transactions;

/// <summary>
/// A condition that a document must meet, on the local replica and at the moment of the commit, for a transaction to be committed.
/// </summary>
/// <param name="Keyspace">The document's keyspace.</param>
/// <param name="Key">The document's key.</param>
/// <param name="IsMet">
/// The condition. It is given the live document, or <see langword="null"/> if there is none, and must be a pure and fast function.
/// </param>
sealed record DocumentRequirement(string Keyspace, DocumentKey Key, Func<Document?, bool> IsMet);
