using Datacake.Storage;

namespace Datacake.Lmdb;

/// <summary>
/// The form of a key in the file. A prefix byte distinguishes the keys of entries from the store's own keys. LMDB does not support empty
/// keys, so a prefix is needed anyway.
/// </summary>
static unsafe class StoredKey
{
    const byte EntryPrefix = 1;

    // One byte longer than any key of an entry. A longer bound includes the same entries as its first MaxKeyLength bytes.
    const int MaxKeyLength = WriteBatch.MaxKeyLength + 1;

    /// <summary>The maximum length of a stored key, in bytes.</summary>
    public const int MaxLength = 1 + MaxKeyLength;

    /// <summary>Gets the stored key of the format version.</summary>
    public static ReadOnlySpan<byte> Format => "\0format"u8;

    /// <summary>Gets the smallest stored key above those of all entries.</summary>
    public static ReadOnlySpan<byte> AboveEntries => [EntryPrefix + 1];

    /// <summary>Returns the stored form of an entry's key or of a bound of a range.</summary>
    /// <param name="key">The key in the form that callers use.</param>
    /// <param name="buffer">A buffer of <see cref="MaxLength"/> bytes, which receives the stored key.</param>
    public static Value OfEntry(ReadOnlySpan<byte> key, byte* buffer)
    {
        if (key.Length > MaxKeyLength)
            key = key[..MaxKeyLength];
        buffer[0] = EntryPrefix;
        key.CopyTo(new Span<byte>(buffer + 1, MaxKeyLength));
        return new Value(buffer, 1 + key.Length);
    }

    /// <summary>Gets the key of an entry from its stored form. Returns false if the stored key does not belong to an entry.</summary>
    public static bool TryGetEntryKey(ReadOnlySpan<byte> stored, out ReadOnlySpan<byte> key)
    {
        bool isEntry = stored is [EntryPrefix, ..];
        key = isEntry ? stored[1..] : default;
        return isEntry;
    }

    /// <summary>Returns whether this provider can have written a stored key.</summary>
    public static bool IsKnown(ReadOnlySpan<byte> stored) => stored is [EntryPrefix, ..] || stored.SequenceEqual(Format);
}
