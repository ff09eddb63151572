namespace Datacake.Storage;

/// <summary>
/// A key and its value in the block of a node, or the value in an array of its own. They stay as they are for as long as somebody refers to them.
/// </summary>
readonly struct MemoryEntry(MemoryBlock block, MemoryPlace place, byte[]? longValue)
{
    public ReadOnlyMemory<byte> Value => longValue ?? block.Value(place);

    public StorageEntry ToStorageEntry() => new(block.KeyMemory(place), Value);
}
