using System.Buffers;
using System.Runtime.CompilerServices;

namespace Datacake.Crdt;

/// <summary>Unsigned integers in LEB128 (seven bits per byte, low bits first), and byte strings that such an integer precedes.</summary>
static class EncodedInteger
{
    public const int MaxSize = 5;

    public static int SizeOf(uint value) => value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;

    public static void Write(IBufferWriter<byte> output, uint value) => output.Advance(Write(output.GetSpan(MaxSize), value));

    public static int Write(Span<byte> destination, uint value)
    {
        int size = 0;
        for (; value >= 0x80; value >>= 7)
            destination[size++] = (byte)(value | 0x80);
        destination[size++] = (byte)value;
        return size;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Read(scoped ref ReadOnlySpan<byte> source) => TryRead(ref source, out uint value) ? value : throw Invalid();

    /// <summary>
    /// Reads an integer and advances past it. Returns false for bytes that <see cref="Write(Span{byte}, uint)"/> would not have written,
    /// so that each integer has exactly one encoding.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryRead(scoped ref ReadOnlySpan<byte> source, out uint value)
    {
        if (source.IsEmpty || source[0] >= 0x80)
            return TryReadLong(ref source, out value);
        value = source[0];
        source = source[1..];
        return true;
    }

    static bool TryReadLong(scoped ref ReadOnlySpan<byte> source, out uint value)
    {
        ulong read = 0;
        for (int i = 0; i < MaxSize && i < source.Length; i++)
        {
            read |= (ulong)(source[i] & 0x7F) << (7 * i);
            if (source[i] >= 0x80)
                continue;
            bool isCanonical = read <= uint.MaxValue && (source[i] != 0 || i == 0);
            value = isCanonical ? (uint)read : 0;
            source = source[(i + 1)..];
            return isCanonical;
        }
        value = 0;
        return false;
    }

    /// <summary>Returns a number of bytes from the front and advances past them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ReadOnlySpan<byte> Take(scoped ref ReadOnlySpan<byte> source, uint length)
    {
        if (length > (uint)source.Length)
            throw TooFew(length, source.Length);
        var taken = source[..(int)length];
        source = source[(int)length..];
        return taken;
    }

    static InvalidDataException Invalid() => new("An encoded integer is truncated, too long or not in its shortest form.");

    static InvalidDataException TooFew(uint length, int left) => new($"{length} bytes are expected, but only {left} are left.");
}
