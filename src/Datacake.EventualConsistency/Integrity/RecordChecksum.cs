using System.Buffers.Binary;
using System.IO.Hashing;
using System.Numerics;

namespace Datacake.EventualConsistency.Integrity;

/// <summary>
/// The checksum that follows every stored value. It also covers the key, so that a value under the wrong key is detected as reliably as a
/// changed byte.
/// </summary>
static class RecordChecksum
{
    /// <summary>The length of the checksum that is added to a value, in bytes.</summary>
    public const int Length = sizeof(uint);

    const ulong Prime = 0x9E37_79B9_7F4A_7C15;      // 2^64 divided by the golden ratio, an odd number

    /// <summary>Writes a value and its checksum.</summary>
    /// <param name="key">The key under which the value is stored.</param>
    /// <param name="value">The value.</param>
    /// <param name="output">The output, which must hold the value and <see cref="Length"/> further bytes.</param>
    public static void Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Span<byte> output)
    {
        value.CopyTo(output);
        BinaryPrimitives.WriteUInt32LittleEndian(output[value.Length..], Of(key, value));
    }

    /// <summary>Returns true if a stored value has the correct checksum for its key.</summary>
    public static bool IsRight(ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored) => stored.Length >= Length
        && BinaryPrimitives.ReadUInt32LittleEndian(stored[^Length..]) == Of(key, stored[..^Length]);

    /// <summary>
    /// Returns the key under which a record was written, if exactly one bit of it differs from the key under which the record was found;
    /// otherwise null. About one in a million records with other damage is mistaken for such a record.
    /// </summary>
    public static ReadOnlyMemory<byte>? FindKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored)
    {
        if (stored.Length < Length)
            return null;
        ulong ofValue = XxHash3.HashToUInt64(stored[..^Length]);
        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(stored[^Length..]);
        byte[] candidate = key.ToArray();
        for (int bit = 0; bit < 8 * candidate.Length; bit++)
        {
            candidate[bit / 8] ^= (byte)(1 << (bit % 8));
            if (Combine(HashOfKey(candidate), ofValue) == checksum)
                return candidate;
            candidate[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        return null;
    }

    static uint Of(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Combine(HashOfKey(key), XxHash3.HashToUInt64(value));

    static uint Combine(ulong ofKey, ulong ofValue)
    {
        ulong hash = (ofKey ^ ofValue) * Prime;
        return (uint)(hash >> 32);
    }

    /// <summary>
    /// Returns a hash of a key that changes with any single word of the key. Keys are short, and every record that is read has one: this
    /// takes a quarter of the time of a general-purpose hash.
    /// </summary>
    static ulong HashOfKey(ReadOnlySpan<byte> key)
    {
        ulong hash = (ulong)key.Length;
        if (key.Length < sizeof(ulong))
        {
            foreach (byte one in key)
                hash = (hash << 8) | one;
            return Mix(hash);
        }
        var last = key[^sizeof(ulong)..];
        for (; key.Length > sizeof(ulong); key = key[sizeof(ulong)..])
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(key));
        return Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(last));
    }

    static ulong Mix(ulong hash) => BitOperations.RotateLeft(hash * Prime, 31);
}
