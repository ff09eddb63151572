namespace Datacake.EventualConsistency;

/// <summary>An entry of an index.</summary>
/// <param name="Position">The encoded value followed by the encoded key: the position from which a scan continues.</param>
/// <param name="Key">The key of the indexed document.</param>
public readonly record struct IndexEntry(ReadOnlyMemory<byte> Position, DocumentKey Key);
