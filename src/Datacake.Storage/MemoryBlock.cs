namespace Datacake.Storage;

/// <summary>Where an entry is in its <see cref="MemoryBlock"/>: the value follows the key.</summary>
readonly record struct MemoryPlace(int Start, ushort KeyLength, ushort ValueLength)
{
    public int Length => KeyLength + ValueLength;
}

/// <summary>
/// The keys and short values of a node in one array. To the garbage collector a node is a few objects then, not one for each entry: to follow and to move
/// those took as long as all the rest of a put.
/// </summary>
/// <remarks>
/// What is in a block never changes, so that versions of a node share it: the newest adds to it, and the others know nothing of what it adds. Adding is
/// for one thread at a time, reading for any.
/// </remarks>
sealed class MemoryBlock(int capacity)
{
    /// <summary>A longer value has an array of its own: blocks have room for more than they hold, which is to be little.</summary>
    public const int MaxValueLength = 128;

    public static readonly MemoryBlock Empty = new(0);

    readonly byte[] _bytes = GC.AllocateUninitializedArray<byte>(capacity);

    /// <summary>How many bytes are taken, by entries that are removed, too.</summary>
    public int Used { get; private set; }

    public bool HasRoomFor(int length) => length <= _bytes.Length - Used;

    /// <summary>Adds a copy of a key and a value, for which there is room.</summary>
    public MemoryPlace Add(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var place = new MemoryPlace(Used, checked((ushort)key.Length), (ushort)value.Length);
        key.CopyTo(_bytes.AsSpan(Used));
        value.CopyTo(_bytes.AsSpan(Used + key.Length));
        Used += place.Length;
        return place;
    }

    /// <summary>Adds a copy of an entry of another block, for which there is room.</summary>
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
