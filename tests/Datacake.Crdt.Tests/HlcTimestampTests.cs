using CsCheck;

namespace Datacake.Crdt.Tests;

public class HlcTimestampTests
{
    static readonly Gen<HlcTimestamp> Stamp = Gen.Select(
        Gen.UInt, Gen.Byte[0, 249], Gen.UShort, Gen.Byte,
        (seconds, fraction, counter, node) => new HlcTimestamp(seconds, fraction, counter, node));

    [Fact]
    public void The_epoch_is_that_of_the_Rust_crate() =>
        Assert.Equal(new DateTimeOffset(2023, 1, 1, 1, 1, 1, TimeSpan.Zero), HlcTimestamp.Epoch);

    [Theory]
    [InlineData(61, 125, 0xFF, 7, 0x0000003D_7D_00FF_07, "61-0125-00FF-0007")]
    [InlineData(0, 0, 0, 0, 0, "0-0000-0000-0000")]
    [InlineData(1, 2, 3, 4, 0x00000001_02_0003_04, "1-0002-0003-0004")]
    [InlineData(uint.MaxValue, 249, ushort.MaxValue, 255, 0xFFFFFFFF_F9_FFFF_FF, "4294967295-0249-FFFF-0255")]
    public void Packing_and_text_are_as_documented(uint seconds, byte fraction, ushort counter, byte node, ulong packed, string text)
    {
        var stamp = new HlcTimestamp(seconds, fraction, counter, node);
        Assert.Equal(packed, stamp.Packed);
        Assert.Equal((seconds, fraction, counter, node), (stamp.Seconds, stamp.Fraction, stamp.Counter, stamp.Node));
        Assert.Equal(text, stamp.ToString());
        Assert.Equal(stamp, HlcTimestamp.Parse(text, null));
        Assert.Equal(stamp, new HlcTimestamp(packed));
    }

    [Fact]
    public void Text_and_bytes_round_trip() => Stamp.Sample(stamp =>
    {
        var bytes = new byte[HlcTimestamp.Size];
        stamp.Write(bytes);
        Assert.Equal(stamp, HlcTimestamp.Read(bytes));
        Assert.Equal(stamp, HlcTimestamp.Parse(stamp.ToString(), null));
        Assert.True(HlcTimestamp.TryParse(stamp.ToString(), null, out var parsed));
        Assert.Equal(stamp, parsed);
    });

    [Fact]
    public void Stamps_order_by_time_then_counter_then_node_and_so_do_their_bytes() =>
        Gen.Select(Stamp, Stamp, Gen.Bool).Sample((a, b, isNear) =>
        {
            if (isNear)
                b = new HlcTimestamp(a.Seconds, a.Fraction, b.Counter, b.Node);
            int expected = Math.Sign((a.Seconds, a.Fraction, a.Counter, a.Node).CompareTo((b.Seconds, b.Fraction, b.Counter, b.Node)));
            byte[] left = new byte[HlcTimestamp.Size], right = new byte[HlcTimestamp.Size];
            a.Write(left);
            b.Write(right);
            Assert.Equal(expected > 0, a > b);
            Assert.Equal(expected >= 0, a >= b);
            Assert.Equal(expected, Math.Sign(a.CompareTo(b)));
            Assert.Equal(expected, Math.Sign(left.AsSpan().SequenceCompareTo(right)));
            Assert.Equal((expected < 0, expected > 0, expected <= 0, expected >= 0, expected == 0), (a < b, b < a, a <= b, b <= a, a == b));
            Assert.Equal((expected >= 0 ? a : b, expected >= 0 ? b : a), (HlcTimestamp.Max(a, b), HlcTimestamp.Min(a, b)));
        });

    [Fact]
    public void The_time_of_a_stamp_is_exact_to_4_ms() =>
        Assert.Equal(HlcTimestamp.Epoch.AddSeconds(61).AddMilliseconds(500), new HlcTimestamp(61, 125, 0xFF, 7).Time);

    [Fact]
    public void None_is_the_least_stamp()
    {
        Assert.True(HlcTimestamp.None.IsNone);
        Assert.False(new HlcTimestamp(1).IsNone);
        Assert.True(HlcTimestamp.None < new HlcTimestamp(1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("61")]
    [InlineData("61-0125-00FF")]
    [InlineData("61-0125-00FF-0007-1")]
    [InlineData("61-0250-00FF-0007")]
    [InlineData("61-0125-10000-0007")]
    [InlineData("61-0125-00FG-0007")]
    [InlineData("61-0125-00FF-0256")]
    [InlineData("4294967296-0125-00FF-0007")]
    [InlineData("-61-0125-00FF-0007")]
    [InlineData(" 61-0125-00FF-0007")]
    [InlineData("61-+125-00FF-0007")]
    public void Invalid_text_is_refused(string text)
    {
        Assert.False(HlcTimestamp.TryParse(text, null, out _));
        var error = Assert.Throws<FormatException>(() => HlcTimestamp.Parse(text, null));
        Assert.Contains($"'{text}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_fraction_is_less_than_a_second() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new HlcTimestamp(1, 250, 0, 1));
}
