using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A document of another replica that takes the place of one that was put earlier [R13].</summary>
/// <param name="Key">Its storage key.</param>
/// <param name="Mine">The document as it was here.</param>
/// <param name="Others">The one that takes its place.</param>
/// <param name="Known">What this replica knew when the document was as it was here.</param>
readonly record struct ReplacedDocument(ReadOnlyMemory<byte> Key, Document Mine, Document Others, VersionVector Known);
