using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>The key, the stamp and the deletion state of a document that a replica stores.</summary>
/// <param name="Key">The document's key.</param>
/// <param name="Stamp">The stamp of the latest put, update or delete of the document.</param>
/// <param name="IsDeleted">
/// True if the document is deleted. Its tombstone is kept until every member of the cluster knows of the delete.
/// </param>
public readonly record struct DocumentMetadata(DocumentKey Key, HlcTimestamp Stamp, bool IsDeleted);
