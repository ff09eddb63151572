using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A document that was replaced by a document of another replica with a newer put [R13].</summary>
/// <param name="Key">The storage key of the document.</param>
/// <param name="Mine">The document as it was here.</param>
/// <param name="Others">The document that replaces it.</param>
/// <param name="Known">This replica's known set before the replacement.</param>
readonly record struct ReplacedDocument(ReadOnlyMemory<byte> Key, Document Mine, Document Others, VersionVector Known);
