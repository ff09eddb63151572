namespace Datacake.Storage;

/// <summary>
/// A reference to a key and its value in the block of a node, or to a value in its own array. The bytes never change while they are
/// referenced.
/// </summary>
readonly struct MemoryEntry(MemoryBlock block, MemoryPlace place, byte[]? longValue)
{
    public ReadOnlyMemory<byte> Value => longValue ?? block.Value(place);

    public StorageEntry ToStorageEntry() => new(block.KeyMemory(place), Value);
}
