using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>What a replica knows of a document besides its content.</summary>
/// <param name="Key">The document's key.</param>
/// <param name="Stamp">The newest put, update or delete of it.</param>
/// <param name="IsDeleted">Whether it is deleted, and what is left of it waits until every member of the cluster knows that.</param>
public readonly record struct DocumentMetadata(DocumentKey Key, HlcTimestamp Stamp, bool IsDeleted);
