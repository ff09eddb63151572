using System.Buffers.Binary;

namespace Datacake.Crdt;

/// <summary>
/// The encoding of a counter share: always the nine bytes of a MessagePack int 64, so that no MessagePack library is needed to read it. The
/// share of a bounded counter continues as <see cref="BoundedShare"/> says.
/// </summary>
public static class CounterValue
{
    /// <summary>The size of an encoded share in bytes.</summary>
    public const int Size = 9;

    const byte Int64Code = 0xD3;

    /// <summary>Writes a counter share.</summary>
    public static void Write(Span<byte> destination, long value)
    {
        destination[0] = Int64Code;
        BinaryPrimitives.WriteInt64BigEndian(destination[1..], value);
    }

    internal static bool IsValid(ReadOnlySpan<byte> source) =>
        source.Length >= Size && source[0] == Int64Code && (source.Length == Size || BoundedShare.IsValid(source));

    /// <summary>Reads a counter share.</summary>
    /// <exception cref="InvalidDataException">The bytes are not a counter share.</exception>
    public static long Read(ReadOnlySpan<byte> source) => IsValid(source)
        ? BinaryPrimitives.ReadInt64BigEndian(source[1..])
        : throw new InvalidDataException($"The value {Convert.ToHexString(source[..Math.Min(source.Length, 16)])} is not a counter share.");
}
