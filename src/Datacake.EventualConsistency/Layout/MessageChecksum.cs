using System.Buffers.Binary;
using System.IO.Hashing;

namespace Datacake.EventualConsistency.Layout;

/// <summary>The checksum at the end of every message between replicas [R18].</summary>
static class MessageChecksum
{
    /// <summary>The length of the checksum, in bytes.</summary>
    public const int Length = sizeof(ulong);

    /// <summary>Appends the checksum of everything that was written from a position onward.</summary>
    public static void Append(PooledWriter output, int start)
    {
        ulong checksum = XxHash3.HashToUInt64(output.Written[start..]);
        BinaryPrimitives.WriteUInt64LittleEndian(output.GetSpan(Length), checksum);
        output.Advance(Length);
    }

    /// <summary>Returns true if a message ends with its correct checksum.</summary>
    public static bool IsRight(ReadOnlySpan<byte> message) => message.Length >= Length
        && BinaryPrimitives.ReadUInt64LittleEndian(message[^Length..]) == XxHash3.HashToUInt64(message[..^Length]);
}
