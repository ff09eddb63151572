using System.Buffers.Binary;
using System.IO.Hashing;

namespace Datacake.EventualConsistency.Integrity;

/// <summary>
/// The checksum that follows every stored value. It covers the key, too, so that a value in the place of another is as visible as a changed byte.
/// </summary>
static class RecordChecksum
{
    /// <summary>The bytes that a checksum adds to a value.</summary>
    public const int Length = sizeof(uint);

    /// <summary>Writes a value and its checksum.</summary>
    /// <param name="key">The key that the value is stored under.</param>
    /// <param name="value">The value.</param>
    /// <param name="output">Takes the value and <see cref="Length"/> further bytes.</param>
    public static void Write(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Span<byte> output)
    {
        value.CopyTo(output);
        BinaryPrimitives.WriteUInt32LittleEndian(output[value.Length..], Of(key, value));
    }

    /// <summary>Returns true if a stored value is what was written under its key.</summary>
    public static bool IsRight(ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored) => stored.Length >= Length
        && BinaryPrimitives.ReadUInt32LittleEndian(stored[^Length..]) == Of(key, stored[..^Length]);

    /// <summary>
    /// Returns the key that a record was written under, if it differs from the key that it was found under in one bit, or null. Of damage of another kind it
    /// takes about one record in a million for this one.
    /// </summary>
    public static ReadOnlyMemory<byte>? FindKey(ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored)
    {
        byte[] candidate = key.ToArray();
        for (int bit = 0; bit < 8 * candidate.Length; bit++)
        {
            candidate[bit / 8] ^= (byte)(1 << (bit % 8));
            if (IsRight(candidate, stored))
                return candidate;
            candidate[bit / 8] ^= (byte)(1 << (bit % 8));
        }
        return null;
    }

    static uint Of(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        ulong hash = XxHash3.HashToUInt64(value, (long)XxHash3.HashToUInt64(key));
        return (uint)(hash ^ (hash >> 32));
    }
}
