using System.Buffers.Binary;

namespace Datacake.Crdt;

/// <summary>
/// The value of a counter's share: always the nine bytes of a MessagePack int 64, so that it can be read without a MessagePack library.
/// </summary>
public static class CounterValue
{
    /// <summary>The size of an encoded share in bytes.</summary>
    public const int Size = 9;

    const byte Int64Code = 0xD3;

    /// <summary>Writes a share.</summary>
    public static void Write(Span<byte> destination, long value)
    {
        destination[0] = Int64Code;
        BinaryPrimitives.WriteInt64BigEndian(destination[1..], value);
    }

    internal static bool IsValid(ReadOnlySpan<byte> source) => source.Length == Size && source[0] == Int64Code;

    /// <summary>Reads a share.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a share.</exception>
    public static long Read(ReadOnlySpan<byte> source) => IsValid(source)
        ? BinaryPrimitives.ReadInt64BigEndian(source[1..])
        : throw new InvalidDataException($"The bytes {Convert.ToHexString(source[..Math.Min(source.Length, 16)])} are no counter's share.");
}
