using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>The cluster that a store belongs to, tested with wrong seeds and empty disks.</summary>
public sealed class ClusterIdentityTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Separate_clusters_do_not_merge_when_a_wrong_seed_connects_them()
    {
        await using var nodes = new ScenarioNodes();
        nodes[3].Seeds = nodes[4].Seeds = [nodes[3].Address];
        foreach (int id in new[] { 1, 2, 3, 4 })
            await nodes.StartNodeAsync(id);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes.WaitUntilConnectedAsync(3, 4);
        await nodes[1].PutAsync(1, "of the first cluster", Consistency.All);
        await nodes[3].PutAsync(1, "of the second cluster", Consistency.All);

        await nodes[4].StopAsync();
        nodes[4].Seeds = [nodes[3].Address, nodes[1].Address];
        await nodes.StartNodeAsync(4);
        foreach (var (id, peer) in new[] { (1, 4), (4, 1), (2, 3), (3, 2) })
            Assert.Contains("formed separately", await nodes.WaitUntilRefusedAsync(id, peer), StringComparison.Ordinal);
        await nodes[4].Log.WaitUntilAsync("formed separately", "correct the seeds");
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes.WaitUntilConnectedAsync(3, 4);
        await nodes[1].PutAsync(2, "first", Consistency.All);
        await nodes[4].PutAsync(2, "second", Consistency.All);
        foreach (int id in new[] { 1, 2 })
            Assert.Equal(("of the first cluster", "first"), (await nodes[id].GetAsync(1), await nodes[id].GetAsync(2)));
        foreach (int id in new[] { 3, 4 })
            Assert.Equal(("of the second cluster", "second"), (await nodes[id].GetAsync(1), await nodes[id].GetAsync(2)));
    }

    [Fact]
    public async Task Node_whose_seeds_all_answer_without_a_store_says_so()
    {
        await using var nodes = new ScenarioNodes();
        await using var storeless = await DatacakeNode.StartAsync(
            options => options.WithNodeId(1).ListenOn(nodes[1].Address).WithSeeds(nodes[1].Address).WithGossip(gossip => gossip.UseLocal()), TestContext.Current.CancellationToken);

        await nodes.StartNodeAsync(2, store => store.JoinTimeout = TimeSpan.FromSeconds(2));
        var refused = await Assert.ThrowsAsync<TimeoutException>(() => nodes[2].GetAsync(1));

        Assert.Contains("all of its seeds answer, but none has a store that has joined", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("before")]
    [InlineData("beside")]
    [InlineData("after")]
    public async Task First_seed_that_lost_its_disk_recovers_everything_whenever_it_is_started(string when)
    {
        await using var nodes = new ScenarioNodes();
        int[] ids = [1, 2, 3];
        foreach (int id in ids)
            nodes[id].Seeds = [.. ids.Select(seed => nodes[seed].Address)];
        foreach (int id in ids)
            await nodes.StartNodeAsync(id);
        await nodes.WaitUntilConnectedAsync(ids);
        for (int key = 0; key < 60; key++)
            await nodes[ids[key % 3]].PutAsync(key, "cake", Consistency.All);
        foreach (int id in ids)
            await nodes[id].StopAsync();
        nodes[1].Wipe();

        switch (when)
        {
            case "before":
                await nodes.StartNodeAsync(1);
                await nodes[1].Log.WaitUntilAsync("Node 1 has not joined its cluster", "some of its seeds do not answer");
                Assert.False(nodes[1].Store.JoinStatus.IsJoined);
                await nodes.StartNodeAsync(2);
                await nodes.StartNodeAsync(3);
                break;
            case "beside":
                await Task.WhenAll(ids.Select(id => nodes.StartNodeAsync(id)));
                break;
            default:
                await nodes.StartNodeAsync(3);
                await nodes.StartNodeAsync(2);
                await nodes.WaitUntilConnectedAsync(2, 3);
                await nodes.StartNodeAsync(1);
                break;
        }
        await nodes.WaitUntilConnectedAsync(ids);
        await nodes.WaitUntilEqualAsync(60, ids);
        await nodes[1].PutAsync(60, "cake", Consistency.All);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Node_that_formed_another_cluster_from_an_empty_disk_is_refused_and_the_others_lose_nothing(bool isToldToForm)
    {
        await using var nodes = await ScenarioNodes.StartAsync(3);
        for (int key = 0; key < 30; key++)
            await nodes[1].PutAsync(key, "cake", Consistency.All);
        foreach (int id in new[] { 1, 2, 3 })
            await nodes[id].StopAsync();
        nodes[1].Wipe();
        if (isToldToForm)
            nodes[1].Seeds = [nodes[1].Address, nodes[2].Address, nodes[3].Address];
        await nodes.StartNodeAsync(1, store => store.FormCluster = isToldToForm);
        await nodes[1].Store.Joined.WaitAsync(Eventually.Deadline, Canceled);
        await nodes.StartNodeAsync(2);
        await nodes.StartNodeAsync(3);
        Assert.Contains("formed separately", await nodes.WaitUntilRefusedAsync(2, 1), StringComparison.Ordinal);
        await nodes.WaitUntilRefusedAsync(1, 3);
        await nodes.WaitUntilEqualAsync(30, 2, 3);

        // After its files are deleted, the node joins even though it is configured to form a cluster.
        await nodes[1].StopAsync();
        nodes[1].Wipe();
        nodes[1].Seeds = [nodes[2].Address, nodes[3].Address];
        await nodes.StartNodeAsync(1);
        await nodes.WaitUntilConnectedAsync(1, 2, 3);
        await nodes.WaitUntilEqualAsync(30, 1, 2, 3);
    }

    [Fact]
    public async Task Cluster_forms_once_the_expected_number_of_fresh_nodes_has_met_and_levels_count_them()
    {
        await using var nodes = new ScenarioNodes();
        int[] ids = [1, 2, 3];
        foreach (int id in ids.Take(2))
            await nodes.StartNodeAsync(id, store => store.ExpectedNodes = 3);
        await nodes[1].Log.WaitUntilAsync("Node 1 has not joined its cluster", "3 nodes are expected");
        Assert.DoesNotContain(ids.Take(2), id => nodes[id].Store.JoinStatus.IsJoined);
        await nodes.StartNodeAsync(3, store => store.ExpectedNodes = 3);
        await nodes.WaitUntilConnectedAsync(ids);
        await nodes[2].PutAsync(1, "cake", Consistency.All);
    }

    [Fact]
    public async Task Levels_count_expected_nodes_before_they_are_members()
    {
        await using var nodes = await ScenarioNodes.StartAsync(1);
        await nodes[1].StopAsync();
        await nodes.StartNodeAsync(1, store => store.ExpectedNodes = 3);
        foreach (var level in new[] { Consistency.Quorum, Consistency.All })
            await Assert.ThrowsAsync<NotEnoughNodesException>(() => nodes[1].PutAsync(1, "cake", level));
        await nodes[1].PutAsync(1, "cake", Consistency.None);
        await nodes.StartNodeAsync(2);
        await nodes.WaitUntilConnectedAsync(1, 2);
        await nodes[1].PutAsync(1, "pie", Consistency.Quorum);
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => nodes[1].PutAsync(1, "cake", Consistency.All));
    }

    [Fact]
    public async Task Reads_on_a_fresh_node_wait_until_it_has_joined_unless_configured_otherwise()
    {
        await using var nodes = await ScenarioNodes.StartAsync(1);
        await nodes[1].PutAsync(1, "cake", Consistency.None);
        nodes[2].Transport.FateOf = _ => DialFate.Refused;
        await nodes.StartNodeAsync(2);
        var reading = nodes[2].GetAsync(1);
        var counting = nodes[2].Cakes.GetStatisticsAsync(Canceled).AsTask();
        await nodes[2].Log.WaitUntilAsync("Node 2 has not joined its cluster");
        Assert.False(reading.IsCompleted);
        Assert.False(counting.IsCompleted);
        nodes[2].Transport.FateOf = _ => DialFate.Connects;
        Assert.Equal("cake", await reading.WaitAsync(Eventually.Deadline, Canceled));
        Assert.Equal(1, (await counting.WaitAsync(Eventually.Deadline, Canceled)).Count);

        nodes[3].Transport.FateOf = _ => DialFate.Refused;
        await nodes.StartNodeAsync(3, store => store.ReadBeforeJoined = true);
        Assert.Null(await nodes[3].GetAsync(1));
        Assert.False(nodes[3].Store.JoinStatus.IsJoined);

        nodes[4].Transport.FateOf = _ => DialFate.Refused;
        await nodes.StartNodeAsync(4, store => store.JoinTimeout = TimeSpan.FromMilliseconds(100));
        var failure = await Assert.ThrowsAsync<TimeoutException>(() => nodes[4].GetAsync(1));
        Assert.Contains("cannot read or write yet", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fresh_node_refused_by_its_seeds_reports_the_reason_in_the_log_and_to_waiting_callers()
    {
        await using var nodes = new ScenarioNodes();
        await StartAsync(1, "correct horse battery staple");
        await StartAsync(2, "another secret altogether");
        await nodes[2].Log.WaitUntilAsync("Node 2 has not joined its cluster", nodes[1].Address, "secret differs");
        await nodes[2].StopAsync();
        await StartAsync(2, "another secret altogether", TimeSpan.FromMilliseconds(100));
        var failure = await Assert.ThrowsAsync<TimeoutException>(() => nodes[2].GetAsync(1));
        Assert.Contains("secret differs", failure.Message, StringComparison.Ordinal);

        Task StartAsync(int id, string secret, TimeSpan? joinTimeout = null) => nodes.StartNodeAsync(
            id,
            store => store.JoinTimeout = joinTimeout ?? Eventually.Deadline,
            options => options.ListenOn(nodes[id].Address).WithClusterSecret(secret));
    }
}
