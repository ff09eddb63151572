namespace Datacake.Storage;

/// <summary>A key and its value, returned by a scan. Both stay valid until the snapshot is disposed.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value. It may be empty.</param>
public readonly record struct StorageEntry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value);
