using System.Buffers.Binary;

namespace Datacake.Crdt;

/// <summary>
/// One writer's share of a bounded counter: the total that the writer has added, and the rights that it has given to other writers. A
/// right is the permission to change the counter by one, down or up. A counter whose writers only use their rights stays within its bounds.
/// </summary>
/// <remarks>
/// After Balegas et al., Extending Eventually Consistent Cloud Databases for Enforcing Numeric Invariants, 2015. A writer keeps all of this
/// in one cell, so that a replica never combines different versions of it.
/// Encoding: a <see cref="CounterValue"/>, flags for the bounds that follow, the store, the bounds, then the gifts in ascending order.
/// </remarks>
/// <param name="Store">The store of the writer.</param>
/// <param name="Total">The total that the writer has added.</param>
/// <param name="Minimum">
/// The minimum of the counter, if the writer has created the counter; otherwise null. This writer then begins with the rights between its
/// total and the bound.
/// </param>
/// <param name="Maximum">The maximum of the counter, if the writer has created the counter; otherwise null.</param>
/// <param name="Gifts">The rights that the writer has given, at most one item for each receiver.</param>
public sealed record BoundedShare(ulong Store, long Total, long? Minimum, long? Maximum, IReadOnlyList<RightsGift> Gifts)
{
    const byte HasMinimum = 1, HasMaximum = 2;
    const int HeaderSize = CounterValue.Size + 1 + sizeof(ulong);
    const int GiftSize = HlcTimestamp.Size + (3 * sizeof(long));

    /// <summary>Returns true if the value of a counter share is that of a bounded counter.</summary>
    public static bool IsBounded(ReadOnlySpan<byte> share) => share.Length > CounterValue.Size;

    /// <summary>Reads the share of a bounded counter.</summary>
    /// <exception cref="InvalidDataException">The bytes are not the share of a bounded counter.</exception>
    public static BoundedShare Read(ReadOnlySpan<byte> source)
    {
        if (!IsValid(source))
            throw new InvalidDataException($"The value {Convert.ToHexString(source[..Math.Min(source.Length, 16)])} is not the share of a bounded counter.");
        byte flags = source[CounterValue.Size];
        ulong store = BinaryPrimitives.ReadUInt64BigEndian(source[(CounterValue.Size + 1)..]);
        long total = CounterValue.Read(source);
        source = source[HeaderSize..];
        long? minimum = (flags & HasMinimum) != 0 ? TakeNumber(ref source) : null;
        long? maximum = (flags & HasMaximum) != 0 ? TakeNumber(ref source) : null;
        var gifts = new RightsGift[source.Length / GiftSize];
        for (int i = 0; i < gifts.Length; i++)
        {
            var run = HlcTimestamp.Read(source);
            source = source[HlcTimestamp.Size..];
            gifts[i] = new RightsGift(run, (ulong)TakeNumber(ref source), TakeNumber(ref source), TakeNumber(ref source));
        }
        return new BoundedShare(store, total, minimum, maximum, gifts);
    }

    /// <summary>Returns the encoded share.</summary>
    public byte[] Encode()
    {
        var encoded = new byte[HeaderSize + (Minimum is null ? 0 : sizeof(long)) + (Maximum is null ? 0 : sizeof(long)) + (Gifts.Count * GiftSize)];
        CounterValue.Write(encoded, Total);
        encoded[CounterValue.Size] = (byte)((Minimum is null ? 0 : HasMinimum) | (Maximum is null ? 0 : HasMaximum));
        BinaryPrimitives.WriteUInt64BigEndian(encoded.AsSpan(CounterValue.Size + 1), Store);
        var rest = encoded.AsSpan(HeaderSize);
        if (Minimum is { } minimum)
            PutNumber(ref rest, minimum);
        if (Maximum is { } maximum)
            PutNumber(ref rest, maximum);
        foreach (var gift in Gifts)
        {
            gift.Run.Write(rest);
            rest = rest[HlcTimestamp.Size..];
            PutNumber(ref rest, (long)gift.Store);
            PutNumber(ref rest, gift.Down);
            PutNumber(ref rest, gift.Up);
        }
        return encoded;
    }

    /// <summary>Returns the share after its writer has given further rights to another writer.</summary>
    /// <param name="more">The further rights.</param>
    public BoundedShare Give(RightsGift more)
    {
        var gifts = Gifts.ToList();
        int at = gifts.FindIndex(gift => gift.Run >= more.Run);
        if (at >= 0 && gifts[at].Run == more.Run)
            gifts[at] = gifts[at] with { Down = checked(gifts[at].Down + more.Down), Up = checked(gifts[at].Up + more.Up) };
        else
            gifts.Insert(at < 0 ? gifts.Count : at, more);
        return this with { Gifts = gifts };
    }

    internal static bool IsValid(ReadOnlySpan<byte> source)
    {
        if (source.Length < HeaderSize || source[CounterValue.Size] > (HasMinimum | HasMaximum))
            return false;
        byte flags = source[CounterValue.Size];
        source = source[HeaderSize..];
        if (source.Length < sizeof(long) * ((flags & HasMinimum) + (flags >> 1)))
            return false;
        if (flags == (HasMinimum | HasMaximum) && BinaryPrimitives.ReadInt64BigEndian(source) > BinaryPrimitives.ReadInt64BigEndian(source[sizeof(long)..]))
            return false;
        source = source[(sizeof(long) * ((flags & HasMinimum) + (flags >> 1)))..];
        if (source.Length % GiftSize != 0)
            return false;
        for (var previous = HlcTimestamp.None; !source.IsEmpty; source = source[GiftSize..])
        {
            var run = HlcTimestamp.Read(source);
            long down = BinaryPrimitives.ReadInt64BigEndian(source[(HlcTimestamp.Size + sizeof(long))..]);
            long up = BinaryPrimitives.ReadInt64BigEndian(source[(HlcTimestamp.Size + (2 * sizeof(long)))..]);
            if (run <= previous || down < 0 || up < 0 || (down | up) == 0)
                return false;
            previous = run;
        }
        return true;
    }

    static long TakeNumber(ref ReadOnlySpan<byte> source)
    {
        long value = BinaryPrimitives.ReadInt64BigEndian(source);
        source = source[sizeof(long)..];
        return value;
    }

    static void PutNumber(ref Span<byte> destination, long value)
    {
        BinaryPrimitives.WriteInt64BigEndian(destination, value);
        destination = destination[sizeof(long)..];
    }
}
