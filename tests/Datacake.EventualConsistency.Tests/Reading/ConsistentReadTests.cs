using Datacake.Crdt;
using Datacake.EventualConsistency.Links;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.EventualConsistency.Tests.Simulation;

namespace Datacake.EventualConsistency.Tests.Reading;

public class ConsistentReadTests
{
    const string Name = "read";

    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_at_a_level_sees_writes_that_the_local_replica_lacks_and_repairs_it()
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
    public async Task Read_that_the_members_cannot_satisfy_fails()
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
    public async Task Read_of_too_many_documents_is_refused()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var keys = Enumerable.Range(0, 1_001).Select(i => (DocumentKey)i);
        await Assert.ThrowsAsync<ArgumentException>(async () => await cluster[1].Store.Keyspace(Name).GetManyAsync(keys, Consistency.None, Token));
    }

    [Fact]
    public async Task Replica_that_is_told_it_lacks_a_write_pulls_from_the_sender()
    {
        await using var stage = await Stage.StartAsync(2);
        await stage[1].WriteAsync(transaction => transaction.Put(Name, 1, DocumentContent.Empty));
        var batch = await stage[2].CommitAsync(batch => ReadRepairWork.Pull(stage[2].Replica, batch, source: 1));
        var asked = Assert.Single(batch.Outbox);
        Assert.Equal((byte)1, asked.Peer);
        Assert.IsType<PullRequest>(asked.Message);
        // A pull that is under way brings the document, and a node that is not in session cannot be asked for it.
        Assert.Empty((await stage[2].CommitAsync(batch => ReadRepairWork.Pull(stage[2].Replica, batch, source: 1))).Outbox);
        Assert.Empty((await stage[1].CommitAsync(batch => ReadRepairWork.Pull(stage[1].Replica, batch, source: 7))).Outbox);
    }

    [Fact]
    public async Task Replica_found_stale_by_the_read_of_another_is_repaired()
    {
        var gate = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(3, id => id == 3 ? gate : new Storage.MemoryStorage());
        var here = cluster[1].Store.Keyspace(Name);
        await here.PutAsync(1, new byte[] { 1 }, Consistency.All, Token);
        gate.Close();
        await here.PutAsync(1, new byte[] { 2 }, Consistency.Quorum, Token);
        Assert.Equal(2, (await here.GetAsync(1, Consistency.All, Token))!.Value!.Value.Span[0]);
        gate.Open();
        await TestCluster.WaitUntilAsync(
            async () => (await cluster[3].Store.Keyspace(Name).GetAsync(1, Token))!.Value!.Value.Span[0] == 2, "node 3 is repaired");
    }

    [Fact]
    public async Task Read_that_finds_its_own_replica_stale_does_not_wait_for_the_repair()
    {
        var gate = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(3, id => id == 1 ? gate : new Storage.MemoryStorage());
        await cluster[2].Store.Keyspace(Name).PutAsync(1, new byte[] { 1 }, Consistency.All, Token);
        gate.Close();
        await cluster[2].Store.Keyspace(Name).PutAsync(1, new byte[] { 2 }, Consistency.One, Token);
        // The gate blocks the repair until it opens.
        Assert.Equal(2, (await cluster[1].Store.Keyspace(Name).GetAsync(1, Consistency.Quorum, Token))!.Value!.Value.Span[0]);
        Assert.Equal(1, (await cluster[1].Store.Keyspace(Name).GetAsync(1, Token))!.Value!.Value.Span[0]);
        gate.Open();
    }

    [Fact]
    public async Task Failed_read_reports_its_cause_and_does_not_mention_a_write()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await cluster.AddAsync(2, options: new ReplicatedStoreOptions { AcknowledgmentTimeout = TimeSpan.FromMilliseconds(200) });
        await cluster.WaitUntilConnectedAsync();
        await cluster[2].Store.Keyspace(Name).PutAsync(1, new byte[] { 1 }, Consistency.One, Token);
        cluster[1].Transport.Pause();
        var failure = await Assert.ThrowsAsync<ConsistencyException>(async () => await cluster[2].Store.Keyspace(Name).GetAsync(1, Consistency.All, Token));
        Assert.Contains("node 1: it did not answer in time", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("write", failure.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Null(failure.Stamp);
        cluster[1].Transport.Resume();
    }

    [Fact]
    public async Task All_reads_beyond_the_concurrency_limit_of_a_peer_are_answered()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        await cluster[1].Store.Keyspace(Name).PutAsync(1, new byte[] { 1 }, Consistency.All, Token);
        var reads = Enumerable.Range(0, 200).Select(_ => cluster[2].Store.Keyspace(Name).GetAsync(1, Consistency.All, Token).AsTask());
        Assert.All(await Task.WhenAll(reads), Assert.NotNull);
    }
}
