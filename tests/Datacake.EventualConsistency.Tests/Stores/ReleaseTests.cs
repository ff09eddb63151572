using Datacake.Crdt;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.EventualConsistency.Transactions;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Stores;

public class ReleaseTests
{
    const string Store = "shop/17";

    static readonly byte[] Cake = "Madeira"u8.ToArray();

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 1)]
    public async Task Released_store_leaves_nothing_behind_and_the_other_holder_decides_alone(int leaving, int staying)
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var (first, second) = (await OpenAsync(cluster, 1), await OpenAsync(cluster, 2));
        await first.WaitForMembersAsync(2, TestCluster.Deadline, Canceled);
        var (leaver, stayer) = leaving == 1 ? (first, second) : (second, first);
        await TestCluster.WaitUntilAsync(() => first.SerialStatus.VoterCount == 2, "both vote");
        for (int i = 0; i < 100; i++)
            await leaver.Keyspace("cakes").PutAsync(i, Cake, Consistency.None, Canceled);

        await cluster[leaving].Node.ReleaseStoreAsync(Store, cancellationToken: Canceled);

        Assert.Equal(100, (await stayer.Keyspace("cakes").GetStatisticsAsync(Canceled)).Count);
        Assert.Equal([staying], stayer.Members.Select(static member => (int)member.NodeId));
        Assert.DoesNotContain(cluster[leaving].Node.OpenStores, static store => store.Name == Store);
        await stayer.Keyspace("cakes").PutAsync(200, Cake, Consistency.All, Canceled);
        await stayer.CommitAsync(SerialPut(1), Consistency.Serial, Canceled);
        await TestCluster.WaitUntilAsync(() => cluster[leaving].Node.HoldersOf(Store).Count == 1, "the other node is known as the only holder");
        var error = await Assert.ThrowsAsync<StoreNotHeldException>(async () => await cluster[leaving].Node.OpenStoreAsync(Store, Canceled));
        Assert.Contains($"It is held by node {staying} (", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Store_moves_to_another_node()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var first = await OpenAsync(cluster, 1);
        await first.CommitAsync(SerialPut(1), Consistency.Serial, Canceled);
        await first.Keyspace("cakes").PutAsync(1, Cake, Consistency.None, Canceled);
        var second = await OpenAsync(cluster, 2);

        await second.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        await cluster[1].Node.ReleaseStoreAsync(Store, cancellationToken: Canceled);

        await second.CommitAsync(SerialPut(2), Consistency.Serial, Canceled);
        Assert.Equal(Cake, (await second.Keyspace("cakes").GetAsync(1, Canceled))!.Value!.Value.ToArray());
        // And back, with new files.
        var again = await OpenAsync(cluster, 1);
        await again.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        await cluster[2].Node.ReleaseStoreAsync(Store, cancellationToken: Canceled);
        await again.CommitAsync(SerialPut(3), Consistency.Serial, Canceled);
        Assert.Equal(3, (await again.Keyspace("numbers").GetStatisticsAsync(Canceled)).Count);
    }

    [Fact]
    public async Task Last_holder_is_not_released()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var first = await OpenAsync(cluster, 1);
        await first.Joined.WaitAsync(TestCluster.Deadline, Canceled);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await cluster[1].Node.ReleaseStoreAsync(Store, cancellationToken: Canceled));

        Assert.StartsWith("The store 'shop/17' of node 1 cannot be released, because no other node holds it", error.Message, StringComparison.Ordinal);
        await first.Keyspace("cakes").PutAsync(1, Cake, Consistency.None, Canceled);
    }

    [Fact]
    public async Task Store_whose_other_holders_are_down_remains_a_member_and_writes_again()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        var first = await OpenAsync(cluster, 1);
        await OpenAsync(cluster, 2);
        await OpenAsync(cluster, 3);
        await first.WaitForMembersAsync(3, TestCluster.Deadline, Canceled);
        await TestCluster.WaitUntilAsync(() => first.SerialStatus.VoterCount == 3, "all vote");
        await cluster[3].Node.CloseStoreAsync(Store, cancellationToken: Canceled);

        var error = await Assert.ThrowsAsync<TimeoutException>(
            async () => await cluster[1].Node.ReleaseStoreAsync(Store, new ReleaseOptions { Timeout = TimeSpan.FromSeconds(1) }, Canceled));

        Assert.StartsWith(
            "The store 'shop/17' of node 1 could not be released within 1 s: 1 of the 2 other members that must have everything confirm that they do; these do not, or are not connected: 3.",
            error.Message, StringComparison.Ordinal);
        await first.Keyspace("cakes").PutAsync(1, Cake, Consistency.One, Canceled);
        await first.CommitAsync(SerialPut(1), Consistency.Serial, Canceled);

        // With one voter away, the other two are needed.
        error = await Assert.ThrowsAsync<TimeoutException>(
            async () => await cluster[1].Node.ReleaseStoreAsync(Store, new ReleaseOptions { Level = Consistency.One, Timeout = TimeSpan.FromSeconds(1) }, Canceled));
        Assert.Contains("it is a voter for serial transactions, and the sequencer has not removed it", error.Message, StringComparison.Ordinal);
        await first.CommitAsync(SerialPut(2), Consistency.Serial, Canceled);

        // If it is given up, they can go on without each other.
        await first.RetireAsync(3, Canceled);
        await cluster[1].Node.ReleaseStoreAsync(Store, new ReleaseOptions { Level = Consistency.One }, Canceled);
    }

    [Fact]
    public async Task Two_holders_that_leave_at_once_do_not_let_each_other_go()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var first = await OpenAsync(cluster, 1);
        await OpenAsync(cluster, 2);
        await first.WaitForMembersAsync(2, TestCluster.Deadline, Canceled);
        await TestCluster.WaitUntilAsync(() => first.SerialStatus.VoterCount == 2, "both vote");
        await first.Keyspace("cakes").PutAsync(1, Cake, Consistency.All, Canceled);

        var options = new ReleaseOptions { Timeout = TimeSpan.FromSeconds(2) };
        var releases = Enumerable.Range(1, 2).Select(node => cluster[node].Node.ReleaseStoreAsync(Store, options, Canceled).AsTask()).ToArray();
        await Task.WhenAll(releases).ContinueWith(static _ => { }, Canceled, TaskContinuationOptions.None, TaskScheduler.Default);

        // One of them may have been let go before the other one began.
        Assert.Contains(releases, static release => release.Exception?.InnerException is TimeoutException or InvalidOperationException);
        var left = cluster[1].Node.OpenStores.Concat(cluster[2].Node.OpenStores).Where(static store => store.Name == Store).ToArray();
        Assert.NotEmpty(left);
        foreach (var store in left)
            Assert.NotNull(await store.Keyspace("cakes").GetAsync(1, Canceled));
    }

    [Fact]
    public async Task Node_does_not_open_what_it_has_released_although_a_configuration_names_it()
    {
        using var addresses = new ReservedAddresses();
        string[] seeds = addresses.Next(2);
        IStorage own = new KeptStorage(new MemoryStorage()), kept = new KeptStorage(new MemoryStorage());
        await using var second = await StartAsync(2);
        await using (var first = await StartAsync(1))
        {
            var store = await first.OpenStoreAsync(Store, Canceled);
            await store.WaitForMembersAsync(2, TestCluster.Deadline, Canceled);
            await first.ReleaseStoreAsync(Store, cancellationToken: Canceled);
        }
        var log = new CollectingLog();

        await using var again = await StartAsync(1, log);

        Assert.DoesNotContain(again.OpenStores, static store => store.Name == Store);
        Assert.Contains(log.Messages, static message => message.Contains("Node 1 has given up the store 'shop/17'", StringComparison.Ordinal));
        await Assert.ThrowsAsync<StoreNotHeldException>(async () => await again.OpenStoreAsync(Store, Canceled));
        // The old files are those of a store that is no longer a member.
        var old = await again.OpenStoreAsync(Store, options => options.UseStorage(() => kept), Canceled);
        var error = await Assert.ThrowsAsync<StoreExcludedException>(async () => await old.Keyspace("cakes").PutAsync(1, Cake, Consistency.None, Canceled));
        Assert.Contains("retired", error.Message, StringComparison.Ordinal);

        async Task<DatacakeNode> StartAsync(int id, CollectingLog? log = null)
        {
            var node = await DatacakeNode.StartAsync(
                options =>
                {
                    options.WithNodeId(id).ListenOn(seeds[id - 1]).WithSeeds(seeds).WithGossip(gossip => gossip.UseLocal()).WithStore(store => store.FormCluster = id == 2);
                    options.UseStorage(() => id == 1 ? own : new MemoryStorage());
                    options.WithStore(Store, store => store.UseStorage(() => id == 1 ? kept : new MemoryStorage()));
                    if (log is not null)
                        options.WithLoggerFactory(log);
                },
                Canceled);
            await node.OpenStoreAsync(Canceled);
            await node.OpenStoresAsync(Canceled);
            return node;
        }
    }

    [Fact]
    public void Levels_that_count_no_other_members_are_refused()
    {
        Assert.Throws<ArgumentException>(static () => new ReleaseOptions { Level = Consistency.None }.Validate());
        Assert.Throws<ArgumentException>(static () => new ReleaseOptions { Level = Consistency.LocalQuorum }.Validate());
        Assert.Throws<ArgumentException>(static () => new ReleaseOptions { Timeout = TimeSpan.Zero }.Validate());
        Assert.Equal([1, 2, 2, 3], Enumerable.Range(1, 4).Select(new ReleaseOptions().RequiredOf));
    }

    static Transaction SerialPut(int number)
    {
        var transaction = new Transaction();
        transaction.Put("numbers", number, DocumentContent.Empty);
        return transaction;
    }

    static async Task<ReplicatedStore> OpenAsync(TestCluster cluster, int node) => await cluster[node].Node.OpenStoreAsync(
        Store,
        static options =>
        {
            options.UseMemory();
            options.Settings.ReportInterval = TimeSpan.FromMilliseconds(50);
            options.Settings.AcknowledgmentTimeout = TestCluster.Deadline;
        },
        Canceled);
}
