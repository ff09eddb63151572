using CsCheck;
using Datacake.Crdt;
using Datacake.Node;

namespace Datacake.EventualConsistency.Tests.Levels;

public sealed class ConsistencyRequirementTests
{
    /// <summary>
    /// Tests one layout of data centers and nodes. Node 1 asks; nodes in parentheses are down. The second argument lists the levels that can be reached.
    /// Each layout has a row for every number of down nodes per data center, except for rows that differ only by exchanging two equal data centers.
    /// </summary>
    [Theory]
    [InlineData("a:1", "None Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1,2", "None One Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1,(2)", "None")]
    [InlineData("a:1,2,3", "None One Two Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1,2,(3)", "None One Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,(2),(3)", "None")]
    [InlineData("a:1,2,3,4", "None One Two Three Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1,2,3,(4)", "None One Two Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,2,(3),(4)", "None One")]
    [InlineData("a:1,(2),(3),(4)", "None")]
    [InlineData("a:1,2,3,4,5", "None One Two Three Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1,2,3,4,(5)", "None One Two Three Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,2,3,(4),(5)", "None One Two Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,2,(3),(4),(5)", "None One")]
    [InlineData("a:1,(2),(3),(4),(5)", "None")]
    [InlineData("a:1 b:2", "None One Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1 b:(2)", "None LocalQuorum")]
    [InlineData("a:1 b:2,3,4", "None One Two Three Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1 b:2,3,(4)", "None One Two Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1 b:2,(3),(4)", "None One LocalQuorum")]
    [InlineData("a:1 b:(2),(3),(4)", "None LocalQuorum")]
    [InlineData("a:1 b:2 c:3", "None One Two Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1 b:2 c:(3)", "None One Quorum LocalQuorum")]
    [InlineData("a:1 b:(2) c:(3)", "None LocalQuorum")]
    [InlineData("a:1,2,3 b:4,5", "None One Two Three Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1,2,3 b:4,(5)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2,3 b:(4),(5)", "None One Two Quorum LocalQuorum")]
    [InlineData("a:1,2,(3) b:4,5", "None One Two Three Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,2,(3) b:4,(5)", "None One Two Quorum LocalQuorum")]
    [InlineData("a:1,2,(3) b:(4),(5)", "None One LocalQuorum")]
    [InlineData("a:1,(2),(3) b:4,5", "None One Two Quorum")]
    [InlineData("a:1,(2),(3) b:4,(5)", "None One")]
    [InlineData("a:1,(2),(3) b:(4),(5)", "None")]
    [InlineData("a:1,2 b:3,4 c:5,6", "None One Two Three Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1,2 b:3,4 c:5,(6)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2 b:3,4 c:(5),(6)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2 b:3,(4) c:5,(6)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2 b:3,(4) c:(5),(6)", "None One Two LocalQuorum")]
    [InlineData("a:1,2 b:(3),(4) c:(5),(6)", "None One LocalQuorum")]
    [InlineData("a:1,(2) b:3,4 c:5,6", "None One Two Three Quorum")]
    [InlineData("a:1,(2) b:3,4 c:5,(6)", "None One Two Three Quorum")]
    [InlineData("a:1,(2) b:3,4 c:(5),(6)", "None One Two")]
    [InlineData("a:1,(2) b:3,(4) c:5,(6)", "None One Two")]
    [InlineData("a:1,(2) b:3,(4) c:(5),(6)", "None One")]
    [InlineData("a:1,(2) b:(3),(4) c:(5),(6)", "None")]
    [InlineData("a:1,2,3 b:4,5,6 c:7,8,9", "None One Two Three Quorum LocalQuorum EachQuorum All")]
    [InlineData("a:1,2,3 b:4,5,6 c:7,8,(9)", "None One Two Three Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,2,3 b:4,5,6 c:7,(8),(9)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2,3 b:4,5,6 c:(7),(8),(9)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2,3 b:4,5,(6) c:7,8,(9)", "None One Two Three Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,2,3 b:4,5,(6) c:7,(8),(9)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2,3 b:4,5,(6) c:(7),(8),(9)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2,3 b:4,(5),(6) c:7,(8),(9)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2,3 b:4,(5),(6) c:(7),(8),(9)", "None One Two Three LocalQuorum")]
    [InlineData("a:1,2,3 b:(4),(5),(6) c:(7),(8),(9)", "None One Two LocalQuorum")]
    [InlineData("a:1,2,(3) b:4,5,6 c:7,8,9", "None One Two Three Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,2,(3) b:4,5,6 c:7,8,(9)", "None One Two Three Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,2,(3) b:4,5,6 c:7,(8),(9)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2,(3) b:4,5,6 c:(7),(8),(9)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2,(3) b:4,5,(6) c:7,8,(9)", "None One Two Three Quorum LocalQuorum EachQuorum")]
    [InlineData("a:1,2,(3) b:4,5,(6) c:7,(8),(9)", "None One Two Three Quorum LocalQuorum")]
    [InlineData("a:1,2,(3) b:4,5,(6) c:(7),(8),(9)", "None One Two Three LocalQuorum")]
    [InlineData("a:1,2,(3) b:4,(5),(6) c:7,(8),(9)", "None One Two Three LocalQuorum")]
    [InlineData("a:1,2,(3) b:4,(5),(6) c:(7),(8),(9)", "None One Two LocalQuorum")]
    [InlineData("a:1,2,(3) b:(4),(5),(6) c:(7),(8),(9)", "None One LocalQuorum")]
    [InlineData("a:1,(2),(3) b:4,5,6 c:7,8,9", "None One Two Three Quorum")]
    [InlineData("a:1,(2),(3) b:4,5,6 c:7,8,(9)", "None One Two Three Quorum")]
    [InlineData("a:1,(2),(3) b:4,5,6 c:7,(8),(9)", "None One Two Three Quorum")]
    [InlineData("a:1,(2),(3) b:4,5,6 c:(7),(8),(9)", "None One Two Three")]
    [InlineData("a:1,(2),(3) b:4,5,(6) c:7,8,(9)", "None One Two Three Quorum")]
    [InlineData("a:1,(2),(3) b:4,5,(6) c:7,(8),(9)", "None One Two Three")]
    [InlineData("a:1,(2),(3) b:4,5,(6) c:(7),(8),(9)", "None One Two")]
    [InlineData("a:1,(2),(3) b:4,(5),(6) c:7,(8),(9)", "None One Two")]
    [InlineData("a:1,(2),(3) b:4,(5),(6) c:(7),(8),(9)", "None One")]
    [InlineData("a:1,(2),(3) b:(4),(5),(6) c:(7),(8),(9)", "None")]
    public void Reachable_levels_depend_on_the_members_that_are_up(string layout, string reachable)
    {
        var members = Layout(layout);
        var found = Enum.GetValues<Consistency>().Where(level => level != Consistency.Serial && ConsistencyRequirement.For(level, 1, members).IsReachable);
        Assert.Equal(reachable, string.Join(' ', found));
    }

    /// <summary>Checks whether acknowledgments of other nodes satisfy a level. All members are up.</summary>
    [Theory]
    [InlineData(Consistency.None, "a:1,2,3", "", true)]
    [InlineData(Consistency.One, "a:1,2,3", "", false)]
    [InlineData(Consistency.One, "a:1,2,3", "1", false)]
    [InlineData(Consistency.One, "a:1,2,3", "3", true)]
    [InlineData(Consistency.One, "a:1,2,3", "9", false)]
    [InlineData(Consistency.Two, "a:1,2,3,4", "2", false)]
    [InlineData(Consistency.Two, "a:1,2,3,4", "4,2", true)]
    [InlineData(Consistency.Three, "a:1,2,3,4,5", "2,3", false)]
    [InlineData(Consistency.Three, "a:1,2,3,4,5", "2,3,5", true)]
    [InlineData(Consistency.Quorum, "a:1,2,3", "2", true)]
    [InlineData(Consistency.Quorum, "a:1,2,3,4", "2", false)]
    [InlineData(Consistency.Quorum, "a:1,2,3,4", "3,4", true)]
    [InlineData(Consistency.Quorum, "a:1,2 b:3,4,5", "4,5", true)]
    [InlineData(Consistency.Quorum, "a:1,2 b:3,4,5", "5", false)]
    [InlineData(Consistency.LocalQuorum, "a:1,2,3 b:4,5,6", "4,5,6", false)]
    [InlineData(Consistency.LocalQuorum, "a:1,2,3 b:4,5,6", "3", true)]
    [InlineData(Consistency.LocalQuorum, "a:1 b:4,5,6", "", true)]
    [InlineData(Consistency.EachQuorum, "a:1,2,3 b:4,5,6", "2,4", false)]
    [InlineData(Consistency.EachQuorum, "a:1,2,3 b:4,5,6", "4,5", false)]
    [InlineData(Consistency.EachQuorum, "a:1,2,3 b:4,5,6", "2,4,6", true)]
    [InlineData(Consistency.All, "a:1,2,3", "2", false)]
    [InlineData(Consistency.All, "a:1,2,3", "2,3", true)]
    public void Level_is_satisfied_by_the_expected_acknowledgments(Consistency level, string layout, string acknowledged, bool isSatisfied)
    {
        var requirement = ConsistencyRequirement.For(level, 1, Layout(layout));
        Assert.Equal(isSatisfied, requirement.IsSatisfiedBy(Ids(acknowledged)));
        Assert.Equal(isSatisfied, requirement.MissingFor(Ids(acknowledged)).Length == 0);
    }

    [Fact]
    public void Satisfied_level_stays_satisfied_with_more_acknowledgments() =>
        Gen.Select(
            Gen.Enum<Consistency>().Where(static level => level != Consistency.Serial), Gen.Int[0, 2].List[1, 12], Gen.Int[0, 4095], Gen.Int[0, 4095]).Sample((level, centers, some, more) =>
        {
            var members = centers.Select((center, index) => new ConsistencyMember((byte)index, $"dc{center}", true)).ToArray();
            var requirement = ConsistencyRequirement.For(level, 0, members);
            var acknowledged = Bits(some);
            if (requirement.IsSatisfiedBy(acknowledged))
                Assert.True(requirement.IsSatisfiedBy(acknowledged | Bits(more)));
        });

    [Fact]
    public void Missing_acknowledgments_are_named()
    {
        var requirement = ConsistencyRequirement.For(Consistency.EachQuorum, 1, Layout("a:1,2,3 b:4,5,6"));
        Assert.Equal(
            "1 more of the members in data center 'a' (nodes 2 and 3); 2 more of the members in data center 'b' (nodes 4, 5, and 6)",
            requirement.MissingFor(default));
        Assert.Equal("1 more of the members in data center 'b' (nodes 5 and 6)", requirement.MissingFor(NodeSet.Of(2, 4)));
        Assert.Equal("1 more of the members in data center 'b' (node 6)", ConsistencyRequirement.For(Consistency.EachQuorum, 1, Layout("a:1 b:5,6")).MissingFor(NodeSet.Of(5)));
    }

    [Fact]
    public void Local_node_that_is_not_a_member_is_refused() =>
        Assert.Throws<ArgumentException>(() => ConsistencyRequirement.For(Consistency.Quorum, 9, Layout("a:1,2")));

    [Fact]
    public void Too_few_nodes_are_reported_with_the_requirement_and_the_members_up_and_down()
    {
        var members = Members("a:1,2 b:(3),(4)");
        var requirement = ConsistencyRequirement.For(Consistency.Quorum, 1, Layout("a:1,2 b:(3),(4)"));
        var error = new NotEnoughNodesException(requirement, members);
        Assert.Contains("Quorum requires 3 of 4 members (nodes 1, 2, 3, and 4)", error.Message, StringComparison.Ordinal);
        Assert.Contains("Up: node 1 (a, host-1:7001, up), node 2 (a, host-2:7001, up)", error.Message, StringComparison.Ordinal);
        Assert.Contains("Not up: node 3 (b, host-3:7001, down), node 4 (b, host-4:7001, down)", error.Message, StringComparison.Ordinal);
        Assert.EndsWith("Nothing was done.", error.Message[..error.Message.IndexOf(" Up:", StringComparison.Ordinal)], StringComparison.Ordinal);
        Assert.EndsWith("Wait until the nodes are back, or use a lower consistency level.", error.Message, StringComparison.Ordinal);
    }

    /// <summary>Tests a cluster of the voters, of which some are down, retired, or retired before this node started, so that their ids are not known.</summary>
    [Theory]
    [InlineData("a:1,(2),(3)", "", 3, "2 of 3 voters (nodes 1, 2, and 3)", "1 more of the voters (nodes 2 and 3)", true)]
    [InlineData("a:1,(2)", "", 2, "2 of 2 voters (nodes 1 and 2)", "1 more of the voters (node 2)", true)]
    [InlineData("a:1,(2)", "3", 3, "2 of 3 voters (nodes 1 and 2; node 3 was retired)", "1 more of the voters (node 2); node 3 was retired", true)]
    [InlineData("a:1,(2)", "", 3, "2 of 3 voters (nodes 1 and 2; 1 other was retired)", "1 more of the voters (node 2); 1 other was retired", true)]
    [InlineData("a:1", "2", 2, "2 of 2 voters (node 1; node 2 was retired)", "1 more of the voters; node 2 was retired", false)]
    [InlineData("a:1", "2,3", 3, "2 of 3 voters (node 1; nodes 2 and 3 were retired)", "1 more of the voters; nodes 2 and 3 were retired", false)]
    [InlineData("a:1", "", 3, "2 of 3 voters (node 1; 2 others were retired)", "1 more of the voters; 2 others were retired", false)]
    [InlineData("a:1", "2", 5, "3 of 5 voters (node 1; node 2 and 3 others were retired)", "2 more of the voters; node 2 and 3 others were retired", false)]
    public void Missing_voters_are_named_also_those_that_were_retired(string layout, string retired, int count, string required, string missing, bool mayComeBack)
    {
        var members = Layout(layout);
        var ids = NodeSet.Of([.. members.Select(member => member.NodeId)]);
        var requirement = ConsistencyRequirement.ForVoters(1, members, ids, count, NodeSet.Of([.. retired.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(byte.Parse)]));
        Assert.False(requirement.IsReachable);

        var error = new NotEnoughNodesException(requirement, Members(layout));

        Assert.StartsWith($"Serial requires {required}, but", error.Message, StringComparison.Ordinal);
        Assert.Contains($"Missing: {missing}. ", error.Message, StringComparison.Ordinal);
        string remedy = mayComeBack
            ? "Start the missing voters, or restore the connection to them. If they are lost for good, retire them (RetireAsync, or datacake retire), and begin"
            : "The voters that were retired do not come back: begin";
        Assert.Contains($"{missing}. {remedy} the serial transactions anew at one node (RecoverSerialAsync, or datacake recover-serial); see 'A lost majority'", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("lower", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Write_that_misses_its_level_is_reported_with_its_stamp_acknowledgments_and_failures()
    {
        var requirement = ConsistencyRequirement.For(Consistency.All, 1, Layout("a:1,2,3"));
        var cause = new TimeoutException();
        var stamp = new HlcTimestamp(0x1234_0001);
        var error = new ConsistencyException(
            requirement, NodeSet.Of(2), [new ConsistencyFailure(3, "no answer", cause)], TimeSpan.FromSeconds(2), stamp);
        Assert.Contains("not satisfied within 2 s. Acknowledged by: 1, 2.", error.Message, StringComparison.Ordinal);
        Assert.Contains("node 3: no answer", error.Message, StringComparison.Ordinal);
        Assert.Contains("continues to replicate", error.Message, StringComparison.Ordinal);
        Assert.Equal(NodeSet.Of(1, 2), error.Acknowledged);
        Assert.Equal(stamp, error.Stamp);
        Assert.Same(cause, error.InnerException);
    }

    [Fact]
    public void Write_that_does_not_replicate_is_reported_without_a_promise_to_replicate()
    {
        var requirement = ConsistencyRequirement.For(Consistency.All, 1, Layout("a:1,2"));
        var error = new ConsistencyException(requirement, default, [], TimeSpan.FromSeconds(2), default, "The write is kept on this node only.");
        Assert.DoesNotContain("replicate", error.Message, StringComparison.Ordinal);
        Assert.Contains("this node only", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_that_misses_its_level_is_reported_without_mentioning_a_write()
    {
        var requirement = ConsistencyRequirement.For(Consistency.All, 1, Layout("a:1,2"));
        var error = new ConsistencyException(requirement, default, [new ConsistencyFailure(2, "it is closing")], TimeSpan.FromSeconds(2));
        Assert.Contains("Answered by: 1.", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("write", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Null(error.Stamp);
    }

    static NodeSet Bits(int bits) => NodeSet.Of([.. Enumerable.Range(0, 12).Where(id => (bits >> id & 1) != 0).Select(id => (byte)id)]);

    static NodeSet Ids(string ids)
        => NodeSet.Of([.. ids.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(id => byte.Parse(id, null))]);

    static ConsistencyMember[] Layout(string layout)
        => [.. Members(layout).Select(member => new ConsistencyMember(member.NodeId, member.DataCenter, member.IsUp))];

    internal static ClusterMember[] Members(string layout) =>
    [
        .. from center in layout.Split(' ')
           let parts = center.Split(':')
           from node in parts[1].Split(',')
           let id = byte.Parse(node.Trim('(', ')'), null)
           let state = node.StartsWith('(') ? MemberState.Down : MemberState.Up
           select new ClusterMember(id, $"host-{id}:7001", parts[0], 1, state, new Dictionary<string, string>()),
    ];
}
