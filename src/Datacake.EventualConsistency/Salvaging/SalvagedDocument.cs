namespace Datacake.EventualConsistency;

/// <summary>A document of a refused store that contains something that this store lacks.</summary>
/// <param name="Keyspace">The keyspace of the document.</param>
/// <param name="Key">The key of the document.</param>
/// <param name="Change">
/// The write that recovers the data: a put of the whole document, an update of the existing one, or its deletion.
/// </param>
/// <param name="MayBeDeleted">True if the cluster may have had the data and deleted it since, which can no longer be determined.</param>
/// <param name="Failure">The reason why the document could not be read or written, or null.</param>
public sealed record SalvagedDocument(string Keyspace, DocumentKey Key, DocumentOperationKind Change, bool MayBeDeleted, string? Failure = null);
