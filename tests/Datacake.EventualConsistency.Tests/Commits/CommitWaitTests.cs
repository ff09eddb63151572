using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Commits;

/// <summary>The results that callers receive when they wait for commits, tokens and stores.</summary>
public sealed class CommitWaitTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Commit_that_the_local_storage_refuses_late_is_not_reported_as_kept()
    {
        var gated = new GatedStorage();
        var timeout = TimeSpan.FromMilliseconds(100);
        await using var cluster = await TestCluster.StartAsync(1);
        await cluster.AddAsync(2, gated, new ReplicatedStoreOptions { AcknowledgmentTimeout = timeout });
        await cluster.WaitUntilConnectedAsync();
        gated.Close();
        long start = TimeProvider.System.GetTimestamp();
        var commit = cluster[2].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.One, Canceled).AsTask();
        await TestCluster.WaitUntilAsync(() => TimeProvider.System.GetElapsedTime(start) > 3 * timeout, "the wait for acknowledgments is over");
        gated.Break();
        await Assert.ThrowsAsync<StorageException>(() => commit);
    }

    [Fact]
    public async Task Wait_for_other_nodes_ends_when_the_store_closes()
    {
        var gated = new GatedStorage();
        await using var cluster = await TestCluster.StartAsync(1);
        await cluster.AddAsync(2, gated);
        await cluster.WaitUntilConnectedAsync();
        gated.Close();
        var keyspace = cluster[1].Store.Keyspace("cakes");
        var commit = keyspace.PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled).AsTask();
        await TestCluster.WaitUntilAsync(async () => await keyspace.GetAsync(1, Canceled) is not null, "the document is stored locally");
        await cluster[1].Store.DisposeAsync();
        var failure = await Assert.ThrowsAsync<ConsistencyException>(() => commit.WaitAsync(TestCluster.Deadline, Canceled));
        Assert.Equal(NodeSet.Of(1), failure.Acknowledged);
        gated.Open();
    }

    [Fact]
    public async Task Each_of_many_commits_gets_its_own_result_whether_canceled_or_not()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var keyspace = cluster[1].Store.Keyspace("cakes");
        var written = new ConcurrentDictionary<HlcTimestamp, long>();
        await Parallel.ForEachAsync(Enumerable.Range(0, 2_000), new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = Canceled }, async (number, _) =>
        {
            using var canceling = new CancellationTokenSource();
            var commit = keyspace.PutAsync(number, BitConverter.GetBytes(number), Consistency.All, number % 3 == 0 ? default : canceling.Token);
            if (number % 3 == 1)
                await canceling.CancelAsync();
            try
            {
                Assert.True(written.TryAdd((await commit).Stamp, number));
            }
            catch (CommitCanceledException canceled)
            {
                Assert.Equal(1, number % 3);
                Assert.True(written.TryAdd(canceled.Stamp, number));
            }
        });
        Assert.Equal(2_000, written.Count);
        foreach (var (stamp, number) in written)
            Assert.Equal(stamp, (await keyspace.GetAsync(number, Canceled))!.Born);
    }

    [Fact]
    public async Task Throwing_logger_does_not_stop_the_store()
    {
        bool hasThrown = false;
        var log = new CollectingLog
        {
            Logging = message =>
            {
                if (hasThrown || !message.Contains("joined the cluster", StringComparison.Ordinal))
                    return;
                hasThrown = true;
                throw new IOException("The log's disk is full.");
            },
        };
        await using var cluster = new TestCluster();
        await cluster.AddAsync(1, log: log);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.None, Canceled).AsTask()
            .WaitAsync(TestCluster.Deadline, Canceled);
        Assert.True(hasThrown);
    }

    [Fact]
    public async Task Wait_for_a_session_token_ends_when_the_store_closes()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var token = new SessionToken(new(ulong.MaxValue));
        var waiting = cluster[1].Store.WaitForAsync(token, Canceled).AsTask();
        await cluster[1].Store.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting.WaitAsync(TestCluster.Deadline, Canceled));
        await Assert.ThrowsAsync<ObjectDisposedException>(
            () => cluster[1].Store.WaitForAsync(token, Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled));
    }

    [Fact]
    public async Task Many_concurrent_calls_that_open_the_store_of_a_node_all_succeed()
    {
        var gated = new GatedStorage();
        gated.Close();
        await using var node = await DatacakeNode.StartAsync(
            options =>
            {
                options.WithNodeId(1).ListenOn("127.0.0.1:0").WithGossip(gossip => gossip.UseLocal());
                options.UseStorage(() => gated);
            },
            Canceled);
        var opening = Enumerable.Range(0, 4).Select(_ => node.OpenStoreAsync(Canceled).AsTask()).ToArray();
        gated.Open();
        var stores = await Task.WhenAll(opening).WaitAsync(TestCluster.Deadline, Canceled);
        Assert.Single(stores.Distinct());
    }
}
