namespace Datacake.Node.Tests;

public sealed class DataCenterAwareSelectorTests
{
    [Theory]
    [InlineData(Consistency.None, 0)]
    [InlineData(Consistency.One, 1)]
    [InlineData(Consistency.Two, 2)]
    [InlineData(Consistency.Quorum, 4)]
    [InlineData(Consistency.LocalQuorum, 1)]
    [InlineData(Consistency.EachQuorum, 5)]
    [InlineData(Consistency.All, 8)]
    public void It_chooses_just_as_many_as_the_level_needs(Consistency level, int count)
    {
        var members = ConsistencyRequirementTests.Members("a:1,2,3 b:4,5,6 c:7,8,9");
        var requirement = ConsistencyRequirement.For(level, 1, members);
        var selector = new DataCenterAwareSelector();
        for (var turn = 0; turn < 20; turn++)
        {
            var chosen = selector.Choose(requirement, members[0], members[1..]);
            Assert.Equal(count, chosen.Count);
            Assert.True(requirement.IsSatisfiedBy(NodeSet.Of([.. chosen.Select(member => member.NodeId)])));
        }
    }

    [Fact]
    public void It_prefers_other_data_centers_and_spreads_over_them()
    {
        var members = ConsistencyRequirementTests.Members("a:1,2,3 b:4,5,6 c:7,8,9");
        var requirement = ConsistencyRequirement.For(Consistency.Two, 1, members);
        var selector = new DataCenterAwareSelector();
        for (var turn = 0; turn < 20; turn++)
            Assert.Equal(["b", "c"], selector.Choose(requirement, members[0], members[1..]).Select(member => member.DataCenter).Order());
    }

    [Fact]
    public void Every_node_of_the_other_data_centers_takes_its_turn()
    {
        var members = ConsistencyRequirementTests.Members("a:1,2 b:3,4 c:5,6");
        var requirement = ConsistencyRequirement.For(Consistency.One, 1, members);
        var selector = new DataCenterAwareSelector();
        var asked = Enumerable.Range(0, 40)
            .Select(_ => Assert.Single(selector.Choose(requirement, members[0], members[1..])).NodeId).CountBy(id => id);
        Assert.Equal([(3, 10), (4, 10), (5, 10), (6, 10)], asked.Select(count => ((int)count.Key, count.Value)).Order());
    }

    [Fact]
    public void In_one_data_center_every_other_node_takes_its_turn()
    {
        var members = ConsistencyRequirementTests.Members("a:1,2,3,4");
        var requirement = ConsistencyRequirement.For(Consistency.Quorum, 1, members);
        var selector = new DataCenterAwareSelector();
        var asked = Enumerable.Range(0, 30)
            .SelectMany(_ => selector.Choose(requirement, members[0], members[1..])).CountBy(member => member.NodeId);
        Assert.Equal([(2, 20), (3, 20), (4, 20)], asked.Select(count => ((int)count.Key, count.Value)).Order());
    }
}
