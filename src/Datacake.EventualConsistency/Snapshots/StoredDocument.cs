using Datacake.Crdt;

namespace Datacake.EventualConsistency;

/// <summary>A live document and its key.</summary>
public readonly record struct StoredDocument(DocumentKey Key, Document Document);
