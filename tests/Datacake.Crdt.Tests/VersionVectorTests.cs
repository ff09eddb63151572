using System.Buffers;
using CsCheck;

namespace Datacake.Crdt.Tests;

/// <summary>Tests that compare version vectors with plain sets of stamps, over a universe of a few nodes and instants.</summary>
public class VersionVectorTests
{
    const int Instants = 20;

    static readonly byte[] Nodes = [0, 3, 255];
    static readonly HlcTimestamp[] Universe =
        [.. Nodes.SelectMany(node => Enumerable.Range(1, Instants).Select(instant => Stamp(instant, node)))];

    static readonly Gen<(byte Node, int Low, int High)> Interval = Gen.Select(Gen.OneOf(Nodes), Gen.Int[0, Instants], Gen.Int[0, Instants]);

    static readonly Gen<VersionVector> Vector = Interval.Array[0, 8].Select(intervals => intervals.Aggregate(
        VersionVector.Empty,
        (vector, next) => vector.Union(VersionVector.Of(next.Node, Stamp(next.Low, next.Node), Stamp(next.High, next.Node)))));

    static readonly Gen<(VersionVector, VersionVector)> Pair = Gen.OneOf(
        Gen.Select(Vector, Vector),
        Gen.Select(Vector, Vector, (a, b) => (a, a.Intersect(b))),
        Gen.Select(Vector, Vector, (a, b) => (a.Union(b), b)));

    [Fact]
    public void A_vector_holds_the_stamps_of_its_intervals() => Interval.Array[0, 8].Sample(intervals =>
    {
        var vector = VersionVector.Empty;
        var model = new HashSet<HlcTimestamp>();
        foreach (var (node, low, high) in intervals)
        {
            vector = vector.Union(VersionVector.Of(node, Stamp(low, node), Stamp(high, node)));
            for (int instant = low + 1; instant <= high; instant++)
                model.Add(Stamp(instant, node));
        }
        AssertHolds(model, vector);
    }, iter: 2_000);

    [Fact]
    public void Adding_an_interval_equals_the_union_with_it() => Gen.Select(Vector, Interval).Sample((vector, next) =>
    {
        HlcTimestamp low = Stamp(next.Low, next.Node), high = Stamp(next.High, next.Node);
        Assert.Equal(vector.Union(VersionVector.Of(next.Node, low, high)), vector.Union(next.Node, low, high));
    }, iter: 5_000);

    [Fact]
    public void Union_difference_and_intersection_match_those_of_sets() => Pair.Sample((a, b) =>
    {
        AssertHolds(StampsOf(a).Union(StampsOf(b)), a.Union(b));
        AssertHolds(StampsOf(a).Except(StampsOf(b)), a.Except(b));
        AssertHolds(StampsOf(a).Intersect(StampsOf(b)), a.Intersect(b));
    }, iter: 5_000);

    [Fact]
    public void A_vector_covers_its_subsets() => Pair.Sample((a, b) => a.Covers(b) == StampsOf(a).IsSupersetOf(StampsOf(b)), iter: 5_000);

    [Fact]
    public void Equal_sets_are_equal_vectors() => Pair.Sample((a, b) =>
    {
        Assert.Equal(StampsOf(a).SetEquals(StampsOf(b)), a.Equals(b));
        var roundabout = a.Except(b).Union(a.Intersect(b));
        Assert.Equal(a, roundabout);
        Assert.Equal(a.GetHashCode(), roundabout.GetHashCode());
        Assert.Equal(a.ToString(), roundabout.ToString());
    }, iter: 5_000);

    [Fact]
    public void Between_selects_a_range_of_every_node() =>
        Gen.Select(Vector, Gen.Int[0, Instants], Gen.Int[0, Instants], Gen.OneOf(Nodes)).Sample((vector, low, high, node) =>
        {
            HlcTimestamp from = Stamp(low, node), to = Stamp(high, node);
            var cut = vector.Between(from, to);
            Assert.Equal(StampsOf(vector).Where(stamp => from < stamp && stamp <= to).Order(), StampsOf(cut).Order());
            Assert.True(vector.Covers(cut));
            Assert.Equal(vector, vector.Between(HlcTimestamp.None, from).Union(vector.Between(from, new HlcTimestamp(ulong.MaxValue))));
        }, iter: 5_000);

    [Fact]
    public void Top_nodes_and_intervals_match_those_of_the_set() => Vector.Sample(vector =>
    {
        var stamps = StampsOf(vector);
        Assert.Equal(stamps.Count == 0 ? HlcTimestamp.None : stamps.Max(), vector.Top);
        Assert.Equal(stamps.Select(stamp => stamp.Node).Distinct().Order(), vector.Nodes);
        Assert.Equal(stamps.Count == 0, vector.IsEmpty);
        int intervals = 0;
        foreach (byte node in Nodes)
        {
            Assert.Equal(stamps.Where(stamp => stamp.Node == node).Order(), StampsOf(vector.OfNode(node)).Order());
            intervals += vector[node].Length;
        }
        // The minimum: one interval for each stamp that has no predecessor in the set.
        Assert.Equal(stamps.Count(stamp => !stamps.Contains(new HlcTimestamp(stamp.Packed - 0x100))), intervals);
    }, iter: 2_000);

    [Fact]
    public void An_encoded_vector_round_trips_and_leaves_the_bytes_after_it() => Gen.Select(Vector, Gen.Byte.Array[0, 5]).Sample((vector, rest) =>
    {
        ReadOnlySpan<byte> source = [.. Encode(vector), .. rest];
        Assert.Equal(vector, VersionVector.Read(ref source));
        Assert.Equal(rest, source.ToArray());
    }, iter: 2_000);

    [Fact]
    public void The_encoding_is_as_documented() => Assert.Equal(
        "01" + "07" + "01" + "0000000000000107" + "0000000000000207",
        Convert.ToHexString(Encode(VersionVector.Of(7, new HlcTimestamp(0x107), new HlcTimestamp(0x207)))));

    [Fact]
    public void Random_and_damaged_bytes_are_refused_or_decode_to_another_vector() =>
        Gen.OneOf(Gen.Byte.Array[0, 60], Gen.Byte[0, 3].Array[0, 60], Generate.Damaged(Vector.Select(Encode))).Sample(bytes =>
        {
            ReadOnlySpan<byte> rest = bytes;
            VersionVector vector;
            try
            {
                vector = VersionVector.Read(ref rest);
            }
            catch (InvalidDataException)
            {
                return;
            }
            Assert.Equal(bytes[..^rest.Length], Encode(vector));
        }, iter: 50_000);

    [Theory]
    [InlineData("", "nothing at all")]
    [InlineData("8102", "more nodes than there can be")]
    [InlineData("0107", "a node without a count of intervals")]
    [InlineData("010700", "a node without intervals")]
    [InlineData("0107FFFFFFFF0F", "more intervals than bytes")]
    [InlineData("010701" + "00000000000002070000000000000107", "an interval that ends before it begins")]
    [InlineData("010701" + "00000000000001070000000000000107", "an empty interval")]
    [InlineData("010702" + "00000000000001070000000000000207" + "00000000000002070000000000000307", "intervals that touch")]
    [InlineData("02" + "0701" + "00000000000001070000000000000207" + "0701" + "00000000000003070000000000000407", "a node twice")]
    public void Impossible_bytes_are_refused(string bytes, string because)
    {
        Assert.NotEmpty(because);
        Assert.Throws<InvalidDataException>(() =>
        {
            ReadOnlySpan<byte> source = Convert.FromHexString(bytes);
            return VersionVector.Read(ref source);
        });
    }

    static HlcTimestamp Stamp(int instant, byte node) => instant == 0 ? HlcTimestamp.None : new(((ulong)instant << 8) | node);

    static HashSet<HlcTimestamp> StampsOf(VersionVector vector) => [.. Universe.Where(vector.Contains)];

    static byte[] Encode(VersionVector vector)
    {
        var output = new ArrayBufferWriter<byte>();
        vector.Write(output);
        return output.WrittenSpan.ToArray();
    }

    static void AssertHolds(IEnumerable<HlcTimestamp> expected, VersionVector actual)
    {
        Assert.Equal(expected.Order(), StampsOf(actual).Order());
        foreach (byte node in Nodes)
        {
            var end = HlcTimestamp.None;
            bool isFirst = true;
            foreach (var interval in actual[node])
            {
                Assert.True(interval.Low < interval.High && (isFirst || end < interval.Low), "The intervals are not apart and ascending.");
                (end, isFirst) = (interval.High, false);
            }
        }
    }
}
