using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>
/// A key as the file has it: a byte before it says whether it is an entry's or the store's own. LMDB takes no empty keys, so that
/// there has to be one anyway.
/// </summary>
static unsafe class StoredKey
{
    const byte EntryPrefix = 1;

    // One byte more than any key has: a longer key than that bounds the same entries as its beginning does.
    const int MaxKeyLength = WriteBatch.MaxKeyLength + 1;

    /// <summary>The longest stored key.</summary>
    public const int MaxLength = 1 + MaxKeyLength;

    /// <summary>Where the store keeps the version of its format.</summary>
    public static ReadOnlySpan<byte> Format => "\0format"u8;

    /// <summary>The least key above those of all entries.</summary>
    public static ReadOnlySpan<byte> AboveEntries => [EntryPrefix + 1];

    /// <summary>The key of an entry, or the bound of a range of them.</summary>
    /// <param name="key">The key in the contract's form.</param>
    /// <param name="buffer"><see cref="MaxLength"/> bytes, which the stored key is written to.</param>
    public static Value OfEntry(ReadOnlySpan<byte> key, byte* buffer)
    {
        if (key.Length > MaxKeyLength)
            key = key[..MaxKeyLength];
        buffer[0] = EntryPrefix;
        key.CopyTo(new Span<byte>(buffer + 1, MaxKeyLength));
        return new Value(buffer, 1 + key.Length);
    }

    /// <summary>The key of the entry that a stored key belongs to, if it belongs to one.</summary>
    public static bool TryGetEntryKey(ReadOnlySpan<byte> stored, out ReadOnlySpan<byte> key)
    {
        bool isEntry = stored is [EntryPrefix, ..];
        key = isEntry ? stored[1..] : default;
        return isEntry;
    }

    /// <summary>Whether this provider can have written a stored key.</summary>
    public static bool IsKnown(ReadOnlySpan<byte> stored) => stored is [EntryPrefix, ..] || stored.SequenceEqual(Format);
}
