using Datacake.EventualConsistency.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>Wall clocks that are wrong on one node or on all, and the cluster after they are corrected.</summary>
public sealed class ClockTests
{
    [Fact]
    public async Task Cluster_whose_clocks_were_all_wrong_continues_once_they_are_corrected()
    {
        await using var nodes = await ScenarioNodes.StartAsync(3);
        await nodes[1].PutAsync(1, "before", Consistency.All);
        nodes.SetClocks(TimeSpan.FromHours(8));
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        // Messages sent under the earlier clock may arrive after the change and end a session.
        await nodes[1].PutSoonAsync(2, "during", Consistency.All);
        nodes.SetClocks(TimeSpan.Zero);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        foreach (int id in new[] { 1, 2, 3 })
            await nodes[id].PutSoonAsync(2, $"after {id}", Consistency.Quorum);

        foreach (int id in new[] { 1, 2, 3 })
            await nodes[id].StopAsync();
        foreach (int id in new[] { 1, 2, 3 })
            await nodes.StartNodeAsync(id);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes.StartNodeAsync(4);
        await nodes.WaitUntilConnectedAsync(1, 2, 3, 4);
        Assert.Equal("after 3", await nodes[4].GetAsync(2));
        await nodes[4].PutAsync(3, "fresh", Consistency.All);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Node_with_the_only_wrong_clock_is_refused_until_it_is_corrected_and_keeps_its_writes(bool isRestarted)
    {
        await using var nodes = await ScenarioNodes.StartAsync(3);
        nodes[3].Time.Offset = TimeSpan.FromHours(8);
        Assert.Contains("wall clock", await nodes.WaitUntilRefusedAsync(1, 3), StringComparison.Ordinal);
        Assert.Contains("wall clock", await nodes.WaitUntilRefusedAsync(3, 1), StringComparison.Ordinal);
        await nodes.WaitUntilRefusedAsync(2, 3);
        await nodes[3].PutAsync(1, "alone", Consistency.None);
        await nodes[1].PutAsync(2, "others", Consistency.Quorum);
        Assert.Null(await nodes[1].GetAsync(1));
        Assert.True(nodes[1].Node.Clock.Last.Time - DateTimeOffset.UtcNow < TimeSpan.FromHours(1));

        nodes[3].Time.Offset = TimeSpan.Zero;
        if (isRestarted)
        {
            await nodes[3].KillAsync();
            await nodes.StartNodeAsync(3);
        }
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes.WaitUntilEqualAsync(2, 1, 2, 3);
        await nodes[1].PutAsync(1, "later", Consistency.All);
        Assert.Equal("later", await nodes[3].GetAsync(1));
    }

    [Fact]
    public async Task Node_that_starts_in_1970_is_refused_until_its_clock_is_corrected_and_its_later_write_wins()
    {
        await using var nodes = await ScenarioNodes.StartAsync(2);
        await nodes[1].PutAsync(1, "before", Consistency.All);
        await nodes[2].KillAsync();
        nodes[2].Time.Offset = DateTimeOffset.UnixEpoch - DateTimeOffset.UtcNow;
        await nodes.StartNodeAsync(2);
        Assert.Contains("1970", await nodes.WaitUntilRefusedAsync(1, 2), StringComparison.Ordinal);
        await nodes[2].PutAsync(1, "written in 1970", Consistency.None);

        nodes[2].Time.Offset = TimeSpan.Zero;
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[1].WaitForAsync(1, "written in 1970");
    }

    [Fact]
    public async Task Later_write_wins_even_if_the_clock_goes_back_at_each_restart()
    {
        await using var nodes = await ScenarioNodes.StartAsync(2);
        for (int life = 1; life <= 4; life++)
        {
            await (life % 2 == 0 ? nodes[2].KillAsync() : nodes[2].StopAsync());
            nodes[2].Time.Offset -= TimeSpan.FromMinutes(15);
            if (life > 2)
                nodes[2].Address = nodes.Addresses.Next();
            await nodes.StartNodeAsync(2);
            await nodes.WaitUntilConnectedAsync(1, 2);
            await nodes[1].PutAsync(1, $"other {life}", Consistency.All);
            await nodes[2].PutAsync(1, $"life {life}", Consistency.All);
            Assert.Equal($"life {life}", await nodes[1].GetAsync(1));
            Assert.Equal($"life {life}", await nodes[2].GetAsync(1));
        }
    }

    [Theory]
    [InlineData(4_099, true)]
    [InlineData(-4_099, true)]
    [InlineData(4_101, false)]
    [InlineData(-4_101, false)]
    public async Task Session_opens_only_if_the_wall_clocks_differ_by_at_most_the_limit(int seconds, bool isOpened)
    {
        await using var nodes = await ScenarioNodes.StartAsync(1);
        nodes[2].Time.Offset = TimeSpan.FromSeconds(seconds);
        await nodes.StartNodeAsync(2);
        if (isOpened)
        {
            await nodes.WaitUntilConnectedAsync(1, 2);
            await nodes[1].PutAsync(1, "cake", Consistency.All);
            await nodes[2].PutAsync(1, "pie", Consistency.All);
            Assert.Equal("pie", await nodes[1].GetAsync(1));
        }
        else
        {
            Assert.Contains("4100 s", await nodes.WaitUntilRefusedAsync(2, 1), StringComparison.Ordinal);
            Assert.False(nodes[2].Store.JoinStatus.IsJoined);
            Assert.Single(nodes[1].Store.Members);
        }
    }

    [Fact]
    public async Task Nodes_with_differing_wall_clocks_replicate_within_the_limit()
    {
        await using var nodes = await ScenarioNodes.StartAsync(2);
        nodes.SetClocks(TimeSpan.FromHours(8));
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[1].PutAsync(1, "ahead", Consistency.All);
        nodes[1].Time.Offset = TimeSpan.FromSeconds(2_000);
        nodes[2].Time.Offset = TimeSpan.FromSeconds(-2_000);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[2].PutAsync(1, "of the one behind", Consistency.All);
        Assert.Equal("of the one behind", await nodes[1].GetAsync(1));
        await nodes[1].PutAsync(1, "of the one ahead", Consistency.All);
        Assert.Equal("of the one ahead", await nodes[2].GetAsync(1));
    }

    [Fact]
    public async Task Stamps_a_month_ahead_are_accepted_by_nodes_that_have_them_and_by_fresh_nodes_configured_to()
    {
        await using var nodes = await ScenarioNodes.StartAsync(2);
        nodes.SetClocks(TimeSpan.FromDays(30));
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[1].PutAsync(1, "a month ahead", Consistency.All);
        nodes.SetClocks(TimeSpan.Zero);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[2].PutAsync(1, "near it", Consistency.All);
        Assert.True(nodes[1].Node.Clock.Last.Time - DateTimeOffset.UtcNow > TimeSpan.FromDays(29));

        await nodes.StartNodeAsync(3);
        string reason = await nodes.WaitUntilRefusedAsync(3, 1);
        Assert.Contains("on node 3, set Store:AcceptStampsUpTo in the configuration", reason, StringComparison.Ordinal);
        await nodes[3].StopAsync();
        await nodes.StartNodeAsync(3, store => store.AcceptStampsUpTo = DateTimeOffset.UtcNow + TimeSpan.FromDays(31));
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        Assert.Equal("near it", await nodes[3].GetAsync(1));
        await nodes[3].PutAsync(1, "fresh", Consistency.All);
    }
}
