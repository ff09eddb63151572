using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests;

/// <summary>What callers that wait for a store are told, and that they are told.</summary>
public sealed class CommitWaitTests
{
    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_commit_that_the_local_storage_refuses_late_is_not_said_to_stay()
    {
        var gated = new GatedStorage();
        var timeout = TimeSpan.FromMilliseconds(100);
        await using var cluster = await TestCluster.StartAsync(1);
        await cluster.AddAsync(2, gated, new ReplicatedStoreOptions { AcknowledgementTimeout = timeout });
        await cluster.WaitUntilConnectedAsync();
        gated.Close();
        long start = TimeProvider.System.GetTimestamp();
        var commit = cluster[2].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.One, Cancelled).AsTask();
        await TestCluster.WaitUntilAsync(() => TimeProvider.System.GetElapsedTime(start) > 3 * timeout, "the wait for acknowledgements is over");
        gated.Break();
        await Assert.ThrowsAsync<StorageException>(() => commit);
    }

    [Fact]
    public async Task Whoever_waits_for_a_session_token_is_told_when_the_store_closes()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var token = new SessionToken(new(ulong.MaxValue));
        var waiting = cluster[1].Store.WaitForAsync(token, Cancelled).AsTask();
        await cluster[1].Store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(TestCluster.Deadline, Cancelled));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => cluster[1].Store.WaitForAsync(token, Cancelled).AsTask().WaitAsync(TestCluster.Deadline, Cancelled));
    }

    [Fact]
    public async Task Many_who_open_the_store_of_a_node_at_once_all_get_it()
    {
        var gated = new GatedStorage();
        gated.Close();
        await using var node = await DatacakeNode.StartAsync(
            options =>
            {
                options.WithNodeId(1).ListenOn("127.0.0.1:0").WithGossip(gossip => gossip.UseLocal());
                options.UseStorage(() => gated);
            },
            Cancelled);
        var opening = Enumerable.Range(0, 4).Select(_ => node.OpenStoreAsync(Cancelled).AsTask()).ToArray();
        gated.Open();
        var stores = await Task.WhenAll(opening).WaitAsync(TestCluster.Deadline, Cancelled);
        Assert.Single(stores.Distinct());
    }
}
