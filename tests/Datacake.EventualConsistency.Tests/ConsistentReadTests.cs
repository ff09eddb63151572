using Datacake.Node;

namespace Datacake.EventualConsistency.Tests;

public class ConsistentReadTests
{
    const string Name = "read";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_read_at_a_level_sees_what_the_local_replica_has_not_got_and_repairs_it()
    {
        var gate = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(3, id => id == 1 ? gate : new Storage.MemoryStorage());
        KeyspaceHandle here = cluster[1].Store.Keyspace(Name), there = cluster[2].Store.Keyspace(Name);
        await there.PutAsync(1, new byte[] { 1 }, Consistency.All, Token);
        await there.PutAsync(2, new byte[] { 1 }, Consistency.All, Token);
        gate.Close();
        await there.PutAsync(1, new byte[] { 2 }, Consistency.One, Token);
        await there.DeleteAsync(2, Consistency.One, Token);

        Assert.Equal(1, (await here.GetAsync(1, Token))!.Value!.Value.Span[0]);
        var reading = here.GetAsync(1, Consistency.Quorum, Token).AsTask();
        gate.Open();
        Assert.Equal(2, (await reading)!.Value!.Value.Span[0]);
        Assert.Null(await here.GetAsync(2, Consistency.Quorum, Token));
        Assert.Null(await here.GetAsync(3, Consistency.Quorum, Token));
        await TestCluster.WaitUntilAsync(async () => (await here.GetAsync(1, Token))!.Value!.Value.Span[0] == 2, "the local replica is repaired");
        Assert.Equal(1, Assert.Single(await here.GetManyAsync([1, 2, 3], Consistency.All, Token)).Key);
    }

    [Fact]
    public async Task A_read_that_the_members_cannot_satisfy_fails()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        await cluster[1].Store.Keyspace(Name).PutAsync(1, new byte[] { 1 }, Consistency.All, Token);
        await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cluster[1].Store.Keyspace(Name).GetAsync(1, Consistency.Two, Token));
        await cluster[2].Node.DisposeAsync();
        await cluster.WaitUntilAliveAsync(1, 1);
        await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cluster[1].Store.Keyspace(Name).GetAsync(1, Consistency.All, Token));
        Assert.NotNull(await cluster[1].Store.Keyspace(Name).GetAsync(1, Consistency.None, Token));
    }

    [Fact]
    public async Task A_read_of_too_many_documents_is_refused()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var keys = Enumerable.Range(0, 1_001).Select(i => (DocumentKey)i);
        await Assert.ThrowsAsync<ArgumentException>(async () => await cluster[1].Store.Keyspace(Name).GetManyAsync(keys, Consistency.None, Token));
    }
}
