using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>
/// A key as the file has it: a byte before it says whether it is an entry's or the store's own. LMDB takes no empty keys, so that
/// there has to be one anyway.
/// </summary>
ref struct StoredKey
{
    const byte OwnPrefix = 0;
    const byte EntryPrefix = 1;

    // One byte more than any key has: a longer key than that bounds the same entries as its beginning does.
    const int MaxLength = WriteBatch.MaxKeyLength + 1;

    Buffer _buffer;
    int _length;

    StoredKey(byte prefix, ReadOnlySpan<byte> key)
    {
        if (key.Length > MaxLength)
            key = key[..MaxLength];
        _buffer[0] = prefix;
        key.CopyTo(_buffer[1..]);
        _length = 1 + key.Length;
    }

    /// <summary>The key of an entry, or the bound of a range of them.</summary>
    public static StoredKey OfEntry(ReadOnlySpan<byte> key) => new(EntryPrefix, key);

    /// <summary>The least key above those of all entries.</summary>
    public static StoredKey AboveEntries => new(EntryPrefix + 1, []);

    /// <summary>Where the store keeps the version of its format.</summary>
    public static StoredKey Format => new(OwnPrefix, "format"u8);

    /// <summary>The key of the entry that a stored key belongs to, if it belongs to one.</summary>
    public static bool TryGetEntryKey(ReadOnlySpan<byte> stored, out ReadOnlySpan<byte> key)
    {
        bool isEntry = stored is [EntryPrefix, ..];
        key = isEntry ? stored[1..] : default;
        return isEntry;
    }

    /// <summary>Whether this provider can have written a stored key.</summary>
    public static bool IsKnown(ReadOnlySpan<byte> stored) => stored is [EntryPrefix, ..] || stored.SequenceEqual(Format.Bytes);

    [UnscopedRef]
    public readonly ReadOnlySpan<byte> Bytes => _buffer[.._length];

    [InlineArray(1 + MaxLength)]
    struct Buffer
    {
        byte _first;
    }
}
