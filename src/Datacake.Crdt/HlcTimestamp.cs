using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Datacake.Crdt;

/// <summary>
/// A stamp of a hybrid logical clock: 64 bits, totally ordered, unique in a cluster. From the most significant bit: seconds since
/// <see cref="Epoch"/> (32 bits), a fraction of a second in units of 4 ms (8 bits), a counter (16 bits), and the id of the node that
/// issued the stamp (8 bits). The packing and the text form (<c>61-0125-00FF-0007</c>) are those of the Rust crate <c>datacake-crdt</c>.
/// </summary>
public readonly record struct HlcTimestamp : IComparable<HlcTimestamp>, ISpanParsable<HlcTimestamp>
{
    /// <summary>The instant from which stamps count: 1 January 2023, 01:01:01 UTC.</summary>
    public static readonly DateTimeOffset Epoch = DateTimeOffset.FromUnixTimeSeconds(1_672_534_861);

    /// <summary>The size of a stamp in bytes.</summary>
    public const int Size = 8;

    internal const int NodeBits = 8;
    internal const int CounterBits = 16;
    internal const int FractionsPerSecond = 250;
    internal const int FractionMilliseconds = 1000 / FractionsPerSecond;

    /// <summary>Creates a stamp from its packed form.</summary>
    public HlcTimestamp(ulong packed) => Packed = packed;

    /// <summary>Creates a stamp from its parts.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The fraction is 250 or more.</exception>
    public HlcTimestamp(uint seconds, byte fraction, ushort counter, byte node)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(fraction, FractionsPerSecond);
        Packed = ((ulong)seconds << 32) | ((ulong)fraction << 24) | ((ulong)counter << NodeBits) | node;
    }

    /// <summary>Gets the value that stands for no stamp. It is less than every stamp that a clock issues.</summary>
    public static HlcTimestamp None => default;

    /// <summary>Gets the packed form. Packed forms compare as the stamps do.</summary>
    public ulong Packed { get; }

    /// <summary>True if this is <see cref="None"/>.</summary>
    public bool IsNone => Packed == 0;

    /// <summary>Gets the whole seconds since <see cref="Epoch"/>.</summary>
    public uint Seconds => (uint)(Packed >> 32);

    /// <summary>Gets the fraction of the second in units of 4 ms.</summary>
    public byte Fraction => (byte)(Packed >> 24);

    /// <summary>Gets the counter, which distinguishes stamps of the same node and instant.</summary>
    public ushort Counter => (ushort)(Packed >> NodeBits);

    /// <summary>Gets the id of the node that issued the stamp.</summary>
    public byte Node => (byte)Packed;

    /// <summary>Gets the instant of the stamp, with a resolution of 4 ms.</summary>
    public DateTimeOffset Time => Epoch.AddSeconds(Seconds).AddMilliseconds(Fraction * FractionMilliseconds);

    /// <summary>Returns the greater of two stamps.</summary>
    public static HlcTimestamp Max(HlcTimestamp a, HlcTimestamp b) => a.Packed >= b.Packed ? a : b;

    /// <summary>Returns the lesser of two stamps.</summary>
    public static HlcTimestamp Min(HlcTimestamp a, HlcTimestamp b) => a.Packed <= b.Packed ? a : b;

    /// <inheritdoc/>
    public int CompareTo(HlcTimestamp other) => Packed.CompareTo(other.Packed);

    /// <summary>Returns true if the first stamp is less than the second.</summary>
    public static bool operator <(HlcTimestamp a, HlcTimestamp b) => a.Packed < b.Packed;

    /// <summary>Returns true if the first stamp is greater than the second.</summary>
    public static bool operator >(HlcTimestamp a, HlcTimestamp b) => a.Packed > b.Packed;

    /// <summary>Returns true if the first stamp is less than or equal to the second.</summary>
    public static bool operator <=(HlcTimestamp a, HlcTimestamp b) => a.Packed <= b.Packed;

    /// <summary>Returns true if the first stamp is greater than or equal to the second.</summary>
    public static bool operator >=(HlcTimestamp a, HlcTimestamp b) => a.Packed >= b.Packed;

    /// <summary>
    /// Returns the greatest stamp of an instant, which is truncated to 4 ms, or <see cref="None"/> for an instant before
    /// <see cref="Epoch"/>. Every greater stamp belongs to a later instant.
    /// </summary>
    public static HlcTimestamp AtEndOf(DateTimeOffset time)
    {
        var since = time - Epoch;
        if (since < TimeSpan.Zero)
            return None;
        var (seconds, ticks) = Math.DivRem(since.Ticks, TimeSpan.TicksPerSecond);
        return new HlcTimestamp((uint)seconds, (byte)(ticks / (FractionMilliseconds * TimeSpan.TicksPerMillisecond)), ushort.MaxValue, byte.MaxValue);
    }

    /// <summary>Returns the first stamp of an instant, which is truncated to 4 ms. Every lesser stamp belongs to an earlier instant.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The instant is at or before <see cref="Epoch"/>, or after the year 2158.</exception>
    public static HlcTimestamp AtStartOf(DateTimeOffset time)
    {
        if (time <= Epoch.AddMilliseconds(FractionMilliseconds) || time >= Epoch.AddSeconds(uint.MaxValue))
            throw new ArgumentOutOfRangeException(nameof(time), time, $"The instant has no stamp. Stamps reach from {Epoch:u} to {Epoch.AddSeconds(uint.MaxValue):u}.");
        return new HlcTimestamp(AtEndOf(time).Packed & ~(ulong)((1 << (CounterBits + NodeBits)) - 1));
    }

    /// <summary>Reads a stamp from the 8 big-endian bytes that <see cref="Write"/> writes.</summary>
    public static HlcTimestamp Read(ReadOnlySpan<byte> source) => new(BinaryPrimitives.ReadUInt64BigEndian(source));

    /// <summary>Writes the stamp as 8 big-endian bytes, which compare as the stamps do.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt64BigEndian(destination, Packed);

    /// <summary>Returns the text form: <c>seconds-fraction-counter-node</c>, with the counter in hexadecimal.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Seconds}-{Fraction:D4}-{Counter:X4}-{Node:D4}");

    /// <summary>Parses the text form of a stamp.</summary>
    /// <exception cref="FormatException">The text is not a stamp.</exception>
    public static HlcTimestamp Parse(string s, IFormatProvider? provider = null) => Parse(s.AsSpan(), provider);

    /// <summary>Parses the text form of a stamp.</summary>
    /// <exception cref="FormatException">The text is not a stamp.</exception>
    public static HlcTimestamp Parse(ReadOnlySpan<char> s, IFormatProvider? provider = null) =>
        TryParse(s, provider, out var stamp)
            ? stamp
            : throw new FormatException($"'{s}' is not a stamp. A stamp looks like '61-0125-00FF-0007'.");

    /// <summary>Parses the text form of a stamp. Returns false if the text is not a stamp.</summary>
    public static bool TryParse([NotNullWhen(true)] string? s, IFormatProvider? provider, out HlcTimestamp result) =>
        TryParse(s.AsSpan(), provider, out result);

    /// <summary>Parses the text form of a stamp. Returns false if the text is not a stamp.</summary>
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
