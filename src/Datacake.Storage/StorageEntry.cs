namespace Datacake.Storage;

/// <summary>A key and its value, as a scan returns them. Both stay valid until the snapshot is disposed.</summary>
public readonly record struct StorageEntry(ReadOnlyMemory<byte> Key, ReadOnlyMemory<byte> Value);
