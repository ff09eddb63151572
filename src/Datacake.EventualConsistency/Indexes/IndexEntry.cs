namespace Datacake.EventualConsistency;

/// <summary>An entry of an index.</summary>
/// <param name="Position">The encoded value followed by the encoded key: where a scan goes on.</param>
/// <param name="Key">The key of the document that is found there.</param>
public readonly record struct IndexEntry(ReadOnlyMemory<byte> Position, DocumentKey Key);
