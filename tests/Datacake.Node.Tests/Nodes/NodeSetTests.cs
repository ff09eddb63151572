using CsCheck;

namespace Datacake.Node.Tests;

public sealed class NodeSetTests
{
    [Fact]
    public void Set_holds_every_id_from_0_to_255()
    {
        var set = default(NodeSet);
        for (var id = 0; id <= byte.MaxValue; id++)
        {
            Assert.False(set.Contains((byte)id));
            set = set.With((byte)id);
            Assert.True(set.Contains((byte)id));
            Assert.Equal(id + 1, set.Count);
        }
        Assert.Equal(Enumerable.Range(0, 256).Select(id => (byte)id), set);
    }

    [Fact]
    public void Set_operations_match_those_of_a_hash_set() => Gen.Select(Gen.Byte.Array[0, 40], Gen.Byte.Array[0, 40]).Sample((left, right) =>
    {
        var (a, b) = (NodeSet.Of(left), NodeSet.Of(right));
        Assert.Equal(left.ToHashSet().Order(), a);
        Assert.Equal(left.Union(right).Order(), a | b);
        Assert.Equal(left.Intersect(right).Order(), a & b);
        Assert.Equal(left.Except(right).Order(), a.Except(b));
        Assert.Equal(left.ToHashSet().Count, a.Count);
        Assert.Equal(left.Length == 0, a.IsEmpty);
        Assert.Equal(left.ToHashSet().SetEquals(right), a == b);
    });

    [Fact]
    public void Set_prints_as_a_sorted_list() => Assert.Equal("1, 2, 200", NodeSet.Of(200, 1, 2).ToString());
}
