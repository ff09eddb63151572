using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Datacake.Crdt;

/// <summary>
/// A hybrid logical clock's stamp: 64 bits, totally ordered, unique in a cluster. From the top: seconds since <see cref="Epoch"/> (32),
/// a fraction of a second in units of 4 ms (8), a counter (16), and the node that issued it (8 bits). The packing and the text form
/// (<c>61-0125-00FF-0007</c>) are those of the Rust crate <c>datacake-crdt</c>.
/// </summary>
public readonly record struct HlcTimestamp : IComparable<HlcTimestamp>, ISpanParsable<HlcTimestamp>
{
    /// <summary>The instant that stamps count from: 1 January 2023, 01:01:01 UTC.</summary>
    public static readonly DateTimeOffset Epoch = DateTimeOffset.FromUnixTimeSeconds(1_672_534_861);

    /// <summary>The size of a stamp in bytes.</summary>
    public const int Size = 8;

    internal const int NodeBits = 8;
    internal const int CounterBits = 16;
    internal const int FractionsPerSecond = 250;
    internal const int FractionMilliseconds = 1000 / FractionsPerSecond;

    /// <summary>Wraps the packed form.</summary>
    public HlcTimestamp(ulong packed) => Packed = packed;

    /// <summary>Packs the parts.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The fraction is not below 250.</exception>
    public HlcTimestamp(uint seconds, byte fraction, ushort counter, byte node)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(fraction, FractionsPerSecond);
        Packed = ((ulong)seconds << 32) | ((ulong)fraction << 24) | ((ulong)counter << NodeBits) | node;
    }

    /// <summary>No stamp: less than every stamp that a clock issues.</summary>
    public static HlcTimestamp None => default;

    /// <summary>The packed form, which compares as the stamps do.</summary>
    public ulong Packed { get; }

    /// <summary>Whether this is <see cref="None"/>.</summary>
    public bool IsNone => Packed == 0;

    /// <summary>Whole seconds since <see cref="Epoch"/>.</summary>
    public uint Seconds => (uint)(Packed >> 32);

    /// <summary>The fraction of the second, in units of 4 ms.</summary>
    public byte Fraction => (byte)(Packed >> 24);

    /// <summary>Tells stamps of one node and instant apart.</summary>
    public ushort Counter => (ushort)(Packed >> NodeBits);

    /// <summary>The node that issued the stamp.</summary>
    public byte Node => (byte)Packed;

    /// <summary>The instant of the stamp, to 4 ms.</summary>
    public DateTimeOffset Time => Epoch.AddSeconds(Seconds).AddMilliseconds(Fraction * FractionMilliseconds);

    /// <summary>The greater of two stamps.</summary>
    public static HlcTimestamp Max(HlcTimestamp a, HlcTimestamp b) => a.Packed >= b.Packed ? a : b;

    /// <summary>The lesser of two stamps.</summary>
    public static HlcTimestamp Min(HlcTimestamp a, HlcTimestamp b) => a.Packed <= b.Packed ? a : b;

    /// <inheritdoc/>
    public int CompareTo(HlcTimestamp other) => Packed.CompareTo(other.Packed);

    /// <summary>Whether one stamp is less than another.</summary>
    public static bool operator <(HlcTimestamp a, HlcTimestamp b) => a.Packed < b.Packed;

    /// <summary>Whether one stamp is greater than another.</summary>
    public static bool operator >(HlcTimestamp a, HlcTimestamp b) => a.Packed > b.Packed;

    /// <summary>Whether one stamp is not greater than another.</summary>
    public static bool operator <=(HlcTimestamp a, HlcTimestamp b) => a.Packed <= b.Packed;

    /// <summary>Whether one stamp is not less than another.</summary>
    public static bool operator >=(HlcTimestamp a, HlcTimestamp b) => a.Packed >= b.Packed;

    /// <summary>The greatest stamp of an instant, cut to 4 ms: what has a greater one happened later. None for instants before <see cref="Epoch"/>.</summary>
    public static HlcTimestamp AtEndOf(DateTimeOffset time)
    {
        var since = time - Epoch;
        if (since < TimeSpan.Zero)
            return None;
        var (seconds, ticks) = Math.DivRem(since.Ticks, TimeSpan.TicksPerSecond);
        return new HlcTimestamp((uint)seconds, (byte)(ticks / (FractionMilliseconds * TimeSpan.TicksPerMillisecond)), ushort.MaxValue, byte.MaxValue);
    }

    /// <summary>Reads the 8 big-endian bytes that <see cref="Write"/> wrote.</summary>
    public static HlcTimestamp Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt64BigEndian(source));

    /// <summary>Writes 8 big-endian bytes, which compare as the stamps do.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, Packed);

    /// <summary>The text form: <c>seconds-fraction-counter-node</c>, the counter in hexadecimal.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Seconds}-{Fraction:D4}-{Counter:X4}-{Node:D4}");

    /// <summary>Parses the text form.</summary>
    /// <exception cref="FormatException">The text is not a stamp.</exception>
    public static HlcTimestamp Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    /// <summary>Parses the text form.</summary>
    /// <exception cref="FormatException">The text is not a stamp.</exception>
    public static HlcTimestamp Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var stamp) ? stamp : throw new FormatException($"'{s}' is not a stamp such as '61-0125-00FF-0007'.");

    /// <summary>Parses the text form, if it is one.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out HlcTimestamp result) =>
        TryParse(s.AsSpan(), provider, out result);

    /// <summary>Parses the text form, if it is one.</summary>
    public static bool TryParse(ReadOnlySpan<char> s, IFormatProvider? provider, out HlcTimestamp result)
    {
        result = default;
        Span<Range> parts = stackalloc Range[5];
        if (s.Split(parts, '-') != 4
            || !uint.TryParse(s[parts[0]], NumberStyles.None, CultureInfo.InvariantCulture, out uint seconds)
            || !byte.TryParse(s[parts[1]], NumberStyles.None, CultureInfo.InvariantCulture, out byte fraction)
            || fraction >= FractionsPerSecond
            || !ushort.TryParse(s[parts[2]], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort counter)
            || !byte.TryParse(s[parts[3]], NumberStyles.None, CultureInfo.InvariantCulture, out byte node))
            return false;
        result = new HlcTimestamp(seconds, fraction, counter, node);
        return true;
    }
}
