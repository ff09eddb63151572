namespace Datacake.Storage;

/// <summary>The location of an entry in its <see cref="MemoryBlock"/>. The value follows the key.</summary>
readonly record struct MemoryPlace(int Start, ushort KeyLength, ushort ValueLength)
{
    public int Length => KeyLength + ValueLength;
}

/// <summary>
/// The keys and short values of a node, in one array. The garbage collector then sees a few objects per node instead of one per entry.
/// Marking and moving one object per entry took as long as the rest of a put.
/// </summary>
/// <remarks>
/// The bytes in a block never change, so several versions of a node can share it. Only the newest version adds to the block, and the older
/// versions do not refer to the added bytes. One thread at a time may add; any number may read.
/// </remarks>
sealed class MemoryBlock(int capacity)
{
    /// <summary>
    /// The maximum length of a value in a block. A longer value gets its own array, because blocks have spare room that should stay small.
    /// </summary>
    public const int MaxValueLength = 128;

    public static readonly MemoryBlock Empty = new(0);

    readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(capacity);

    /// <summary>Gets the number of bytes in use, including those of removed entries.</summary>
    public int Used { get; private set; }

    public bool HasRoomFor(int length) => length <= _bytes.Length - Used;

    /// <summary>Adds a copy of a key and a value. The block must have room for them.</summary>
    public MemoryPlace Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var place = new MemoryPlace(Used, checked((ushort)key.Length), (ushort)value.Length);
        key.CopyTo(_bytes.AsSpan(Used));
        value.CopyTo(_bytes.AsSpan(Used + key.Length));
        Used += place.Length;
        return place;
    }

    /// <summary>Adds a copy of another block's entry. This block must have room for it.</summary>
    public MemoryPlace Add(MemoryBlock other, MemoryPlace place)
    {
        other._bytes.AsSpan(place.Start, place.Length).CopyTo(_bytes.AsSpan(Used));
        var copy = place with { Start = Used };
        Used += place.Length;
        return copy;
    }

    public ReadOnlySpan<byte> Key(MemoryPlace place) => _bytes.AsSpan(place.Start, place.KeyLength);

    public ReadOnlyMemory<byte> KeyMemory(MemoryPlace place) => _bytes.AsMemory(place.Start, place.KeyLength);

    public ReadOnlyMemory<byte> Value(MemoryPlace place) => _bytes.AsMemory(place.Start + place.KeyLength, place.ValueLength);
}
