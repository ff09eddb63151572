using Datacake.EventualConsistency.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests.Reading;

public class CatchUpTests
{
    const string Name = "caught up";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Node_that_caught_up_at_quorum_shows_every_write_acknowledged_at_quorum()
    {
        var gate = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(3, id => id == 1 ? gate : new Storage.MemoryStorage());
        KeyspaceHandle here = cluster[1].Store.Keyspace(Name), there = cluster[2].Store.Keyspace(Name);
        await there.PutAsync(1, new byte[] { 1 }, Consistency.All, Token);
        gate.Close();
        await there.PutAsync(1, new byte[] { 2 }, Consistency.Quorum, Token);
        await there.PutAsync(2, new byte[] { 2 }, Consistency.Quorum, Token);
        var catchingUp = cluster[1].Store.CatchUpAsync(Consistency.Quorum, Token).AsTask();
        Assert.Equal(1, (await here.GetAsync(1, Token))!.Value!.Value.Span[0]);
        Assert.False(catchingUp.IsCompleted);
        gate.Open();
        await catchingUp;
        Assert.Equal(2, (await here.GetAsync(1, Token))!.Value!.Value.Span[0]);
        Assert.NotNull(await here.GetAsync(2, Token));
    }

    [Fact]
    public async Task Writes_of_all_nodes_are_shown_after_each_catch_up()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        for (byte round = 1; round <= 30; round++)
        {
            int writer = 1 + (round % 3), reader = 1 + ((round + 1) % 3);
            await cluster[writer].Store.Keyspace(Name).PutAsync(round, new byte[] { round }, Consistency.Quorum, Token);
            await cluster[reader].Store.CatchUpAsync(Consistency.Quorum, Token);
            Assert.NotNull(await cluster[reader].Store.Keyspace(Name).GetAsync(round, Token));
        }
    }

    [Fact]
    public async Task Catch_up_that_the_members_cannot_satisfy_is_refused_and_one_at_the_local_level_does_not_wait()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        await cluster[2].Node.DisposeAsync();
        await TestCluster.WaitUntilAsync(() => !cluster[1].Store.RequirementOf(Consistency.All).IsReachable, "the other node is known to be down");
        await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cluster[1].Store.CatchUpAsync(Consistency.All, Token));
        await cluster[1].Store.CatchUpAsync(Consistency.None, Token);
    }

    [Fact]
    public async Task Catch_up_that_times_out_fails_with_an_explanation()
    {
        var gate = new GatedStorage();
        await using var cluster = new TestCluster();
        await cluster.AddAsync(
            1, gate, new ReplicatedStoreOptions { ReportInterval = TimeSpan.FromMilliseconds(50), AcknowledgmentTimeout = TimeSpan.FromMilliseconds(300) });
        await cluster.AddAsync(2);
        await cluster.WaitUntilConnectedAsync();
        await cluster[2].Store.Keyspace(Name).PutAsync(1, new byte[] { 1 }, Consistency.All, Token);
        gate.Close();
        await cluster[2].Store.Keyspace(Name).PutAsync(1, new byte[] { 2 }, Consistency.None, Token);
        var e = await Assert.ThrowsAsync<ConsistencyException>(async () => await cluster[1].Store.CatchUpAsync(Consistency.All, Token));
        Assert.Contains("did not arrive in time", e.Message, StringComparison.Ordinal);
        gate.Open();
        await TestCluster.WaitUntilAsync(async () => (await cluster[1].Store.Keyspace(Name).GetAsync(1, Token))!.Value!.Value.Span[0] == 2, "the write arrives");
        await cluster[1].Store.CatchUpAsync(Consistency.All, Token);
    }
}
