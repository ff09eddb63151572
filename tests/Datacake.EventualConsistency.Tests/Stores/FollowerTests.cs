using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;
using Datacake.Crdt;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Stores;

public class FollowerTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Followers_are_measured_at_both_ends_and_say_how_far_they_are_behind()
    {
        var measured = new ConcurrentDictionary<(string Instrument, string Store), double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = static (instrument, listening) =>
        {
            if (instrument.Meter.Name == "Datacake.EventualConsistency")
                listening.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.Start();
        await using var cluster = await TestCluster.StartAsync(1);
        var member = await cluster[1].Node.OpenStoreAsync("measured", static store => store.UseMemory(), Canceled);
        await member.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);
        await using var node = await DatacakeNode.StartAsync(static options => options.WithNodeId(9).ListenOn("127.0.0.1:0"), Canceled);
        var follower = await node.OpenStoreAsync("measured", store => store.UseMemory().AsFollower(cluster[1].Node.Address), Canceled);

        await TestCluster.WaitUntilAsync(() => follower.FollowStatus!.Behind is not null, "the follower has everything");
        listener.RecordObservableInstruments();

        Assert.Equal((1d, 1d), (measured[("datacake.store.followers", "measured")], measured[("datacake.store.follows", "measured")]));
        Assert.InRange(measured[("datacake.store.follower.behind", "measured")], 0, TestCluster.Deadline.TotalSeconds);
        Assert.StartsWith("127.0.0.1", Assert.Single(member.ListFollowers(10)), StringComparison.Ordinal);

        void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            if (tags.ToArray().ToDictionary().GetValueOrDefault("store") is string store)
                measured[(instrument.Name, store)] = value;
        }
    }

    [Fact]
    public async Task Follower_shows_what_members_have_written_and_write()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        for (int i = 0; i < 1_000; i++)
            await cluster[1].Store.Keyspace("cakes").PutAsync(i, "Madeira"u8.ToArray(), Consistency.None, Canceled);
        await using var follower = await StartAsync(cluster, 1);
        var store = await follower.OpenStoreAsync(Canceled);

        Assert.Equal("Madeira"u8.ToArray(), (await store.Keyspace("cakes").GetAsync(999, Canceled))!.Value!.Value.ToArray());
        Assert.Equal(1_000, (await store.Keyspace("cakes").GetStatisticsAsync(Canceled)).Count);

        var written = await cluster[2].Store.Keyspace("cakes").PutAsync(1_000, "Angel"u8.ToArray(), Consistency.None, Canceled);
        await cluster[1].Store.Keyspace("cakes").DeleteAsync(0, Consistency.None, Canceled);
        await store.WaitForAsync(written.Token, Canceled).AsTask().WaitAsync(TestCluster.Deadline, Canceled);
        Assert.NotNull(await store.Keyspace("cakes").GetAsync(1_000, Canceled));
        await TestCluster.WaitUntilAsync(async () => await store.Keyspace("cakes").GetAsync(0, Canceled) is null, "the delete arrives");

        Assert.True(store.FollowStatus!.IsConnected);
        Assert.Equal(1, cluster[1].Store.Followers);
    }

    [Fact]
    public async Task Follower_is_no_member_and_holds_nothing_back()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        await using var follower = await StartAsync(cluster, 1);
        var store = await follower.OpenStoreAsync(Canceled);
        await store.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        await follower.DisposeAsync();

        var all = await cluster[1].Store.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.All, Canceled);

        Assert.Equal(2, all.Acknowledged.Count);
        Assert.Equal(2, cluster[1].Store.Members.Count);
        Assert.Equal(2, cluster[1].Node.Members.Count);
    }

    [Fact]
    public async Task Follower_that_was_away_catches_up_with_the_changes_alone()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);
        var kept = new KeptStorage(new MemoryStorage());
        await using (var first = await StartAsync(cluster, [1], kept))
        {
            var before = await first.OpenStoreAsync(Canceled);
            await before.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        }
        await cluster[1].Store.Keyspace("cakes").PutAsync(2, "Angel"u8.ToArray(), Consistency.None, Canceled);
        await cluster[1].Store.Keyspace("cakes").DeleteAsync(1, Consistency.None, Canceled);

        await using var again = await StartAsync(cluster, [1], kept);
        var store = await again.OpenStoreAsync(Canceled);

        Assert.True(store.Joined.IsCompletedSuccessfully);      // it shows what it has, before it has reached a member
        await TestCluster.WaitUntilAsync(async () => await store.Keyspace("cakes").GetAsync(2, Canceled) is not null, "the put arrives");
        Assert.Null(await store.Keyspace("cakes").GetAsync(1, Canceled));
        Assert.Equal(0, store.JoinStatus.Documents);            // nothing was copied again
    }

    [Fact]
    public async Task Follower_that_was_away_for_too_long_takes_a_new_copy_that_replaces_the_old_one()
    {
        await using var cluster = new TestCluster();
        var options = new ReplicatedStoreOptions { ReportInterval = TimeSpan.FromMilliseconds(20), FollowerRetention = TimeSpan.Zero };
        var member = (await cluster.AddAsync(1, options: options)).Store;
        await member.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        for (int i = 0; i < 100; i++)
            await member.Keyspace("cakes").PutAsync(i, "Madeira"u8.ToArray(), Consistency.None, Canceled);
        var kept = new KeptStorage(new MemoryStorage());
        await using (var first = await StartAsync(cluster, [1], kept))
            await (await first.OpenStoreAsync(Canceled)).Joined.WaitAsync(TestCluster.Deadline, Canceled);
        for (int i = 0; i < 50; i++)
            await member.Keyspace("cakes").DeleteAsync(i, Consistency.None, Canceled);
        await member.Keyspace("cakes").PutAsync(1_000, "Angel"u8.ToArray(), Consistency.None, Canceled);
        await TestCluster.WaitUntilAsync(
            async () => await member.Keyspace("cakes").ReadMetadataAsync(Canceled).CountAsync(Canceled) == 51, "the member has purged the deletes");

        await using var again = await StartAsync(cluster, [1], kept);
        var store = await again.OpenStoreAsync(Canceled);

        await TestCluster.WaitUntilAsync(async () => await store.Keyspace("cakes").GetAsync(1_000, Canceled) is not null, "the new copy arrives");
        Assert.Equal(await member.Keyspace("cakes").GetStatisticsAsync(Canceled), await store.Keyspace("cakes").GetStatisticsAsync(Canceled));
        await member.Keyspace("cakes").PutAsync(1_001, "Angel"u8.ToArray(), Consistency.None, Canceled);
        await TestCluster.WaitUntilAsync(async () => await store.Keyspace("cakes").GetAsync(1_001, Canceled) is not null, "it goes on with the changes");
        Assert.Empty((await store.VerifyAsync(Canceled)).Findings);
    }

    [Fact]
    public async Task Follower_goes_on_with_another_member_when_its_source_stops()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        await using var follower = await StartAsync(cluster, [1, 2], new MemoryStorage());
        var store = await follower.OpenStoreAsync(Canceled);
        await store.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        byte source = store.FollowStatus!.NodeId!.Value;
        byte other = source == 1 ? (byte)2 : (byte)1;

        await cluster[source].Node.DisposeAsync();
        await cluster[other].Store.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);

        await TestCluster.WaitUntilAsync(async () => await store.Keyspace("cakes").GetAsync(1, Canceled) is not null, "the other member's write arrives");
        Assert.Equal(other, store.FollowStatus.NodeId);
    }

    [Fact]
    public async Task Follower_of_some_keyspaces_has_nothing_of_the_others()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        var member = cluster[1].Store;
        await member.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);
        await member.Keyspace("secrets").PutAsync(1, "Recipe"u8.ToArray(), Consistency.None, Canceled);
        await using var follower = await StartAsync(cluster, [1], new MemoryStorage(), options => options.FollowedKeyspaces.Add("cakes"));
        var store = await follower.OpenStoreAsync(Canceled);

        Assert.NotNull(await store.Keyspace("cakes").GetAsync(1, Canceled));
        await member.Keyspace("secrets").PutAsync(2, "Recipe"u8.ToArray(), Consistency.None, Canceled);
        await member.Keyspace("cakes").PutAsync(2, "Angel"u8.ToArray(), Consistency.None, Canceled);
        await TestCluster.WaitUntilAsync(async () => await store.Keyspace("cakes").GetAsync(2, Canceled) is not null, "the change arrives");
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(async () => await store.Keyspace("secrets").PutAsync(3, "Recipe"u8.ToArray(), Consistency.None, Canceled));
        Assert.Contains("does not have the keyspace 'secrets'", refused.Message, StringComparison.Ordinal);
        Assert.Null(await store.Keyspace("secrets").GetAsync(1, Canceled));
        Assert.Null(await store.Keyspace("secrets").GetAsync(2, Canceled));
    }

    [Fact]
    public async Task Follower_that_is_asked_for_other_keyspaces_copies_anew()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);
        await cluster[1].Store.Keyspace("prices").PutAsync(1, "3"u8.ToArray(), Consistency.None, Canceled);
        var kept = new KeptStorage(new MemoryStorage());
        await using (var first = await StartAsync(cluster, [1], kept, options => options.FollowedKeyspaces.Add("cakes")))
            await (await first.OpenStoreAsync(Canceled)).Joined.WaitAsync(TestCluster.Deadline, Canceled);

        await using var again = await StartAsync(cluster, [1], kept);
        var store = await again.OpenStoreAsync(Canceled);

        Assert.NotNull(await store.Keyspace("prices").GetAsync(1, Canceled));
        Assert.NotNull(await store.Keyspace("cakes").GetAsync(1, Canceled));
    }

    [Fact]
    public async Task Files_of_a_member_are_refused_to_a_follower()
    {
        await using var cluster = new TestCluster();
        var kept = new KeptStorage(new MemoryStorage());
        await (await cluster.AddAsync(1, kept)).Store.Joined.WaitAsync(TestCluster.Deadline, Canceled);
        await cluster[1].Node.DisposeAsync();

        await using var follower = await DatacakeNode.StartAsync(options => options.AsFollower(cluster.NextAddress()), Canceled);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(async () => await follower.AddExtensionAsync(new ReplicatedStoreExtension(kept), Canceled));

        Assert.Contains("belongs to a member of its cluster", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Files_of_a_follower_that_becomes_a_member_are_filled_anew()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await cluster[1].Store.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);
        var kept = new KeptStorage(new MemoryStorage());
        await using (var follower = await StartAsync(cluster, [1], kept))
            await (await follower.OpenStoreAsync(Canceled)).Joined.WaitAsync(TestCluster.Deadline, Canceled);

        var second = (await cluster.AddAsync(2, kept)).Store;

        await second.WaitForMembersAsync(2, TestCluster.Deadline, Canceled);
        Assert.NotNull(await second.Keyspace("cakes").GetAsync(1, Canceled));
        var all = await second.Keyspace("cakes").PutAsync(2, "Angel"u8.ToArray(), Consistency.All, Canceled);
        Assert.Equal(2, all.Acknowledged.Count);
    }

    [Fact]
    public async Task Follower_without_a_member_says_what_it_waits_for()
    {
        await using var cluster = new TestCluster();
        string nobody = cluster.NextAddress();
        await using var follower = await DatacakeNode.StartAsync(options => options.AsFollower(nobody).WithStore(store => store.JoinTimeout = TimeSpan.FromMilliseconds(300)), Canceled);
        var store = await follower.AddExtensionAsync(new ReplicatedStoreExtension(new MemoryStorage()), Canceled);

        var error = await Assert.ThrowsAsync<TimeoutException>(async () => await store.Keyspace("cakes").GetAsync(1, Canceled));

        Assert.Contains("it follows no member at present", error.Message, StringComparison.Ordinal);
        Assert.Contains(nobody, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Named_store_follows_its_holders_without_being_one()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        var member = await cluster[1].Node.OpenStoreAsync("catalog", options => options.UseMemory(), Canceled);
        await member.Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);

        var store = await cluster[2].Node.OpenStoreAsync("catalog", options => options.UseMemory().AsFollower(), Canceled);

        Assert.NotNull(await store.Keyspace("cakes").GetAsync(1, Canceled));
        Assert.Single(cluster[2].Node.HoldersOf("catalog"));
        Assert.Single(member.Members);
    }

    [Fact]
    public async Task Write_of_a_follower_goes_through_a_member_at_the_level_and_is_here_afterwards()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await using var follower = await StartAsync(cluster, 1);
        var cakes = (await follower.OpenStoreAsync(Canceled)).Keyspace("cakes");

        var result = await cakes.PutAsync(1, "Madeira"u8.ToArray(), Consistency.All, Canceled);

        Assert.Equal("1, 2, 3", result.Acknowledged.ToString());
        Assert.Equal(1, result.Stamp.Node);
        Assert.NotNull(await cakes.GetAsync(1, Canceled));
        Assert.NotNull(await cluster[3].Store.Keyspace("cakes").GetAsync(1, Canceled));
    }

    [Fact]
    public async Task Follower_reads_at_a_level_what_the_members_have()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await using var follower = await StartAsync(cluster, 1);
        var store = await follower.OpenStoreAsync(Canceled);
        for (int i = 0; i < 100; i++)
        {
            await cluster[2].Store.Keyspace("cakes").PutAsync(i, "Madeira"u8.ToArray(), Consistency.Quorum, Canceled);
            Assert.NotNull(await store.Keyspace("cakes").GetAsync(i, Consistency.Quorum, Canceled));
        }
    }

    [Fact]
    public async Task Errors_of_the_member_are_those_of_the_follower()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        await using var follower = await StartAsync(cluster, 1);
        var store = await follower.OpenStoreAsync(Canceled);
        var cakes = store.Keyspace("cakes");
        await cakes.PutAsync(1, "Madeira"u8.ToArray(), Consistency.None, Canceled);

        var update = new Transaction();
        update.Update("cakes", 2, DocumentContent.OfRaw("Angel"u8));
        var notFound = await Assert.ThrowsAsync<DocumentNotFoundException>(async () => await store.CommitAsync(update, Consistency.None, Canceled));
        Assert.Equal(2, notFound.Key);

        var conflict = new Transaction();
        conflict.Require("cakes", 1, static document => document is null);
        conflict.Delete("cakes", 1);
        await Assert.ThrowsAsync<TransactionConflictException>(async () => await store.CommitAsync(conflict, Consistency.None, Canceled));

        await cluster[2].Node.DisposeAsync();
        await TestCluster.WaitUntilAsync(() => cluster[1].Store.Members.Count(member => member.IsUp) == 1, "node 2 is down");
        var tooFew = await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cakes.PutAsync(3, "Angel"u8.ToArray(), Consistency.All, Canceled));
        Assert.Equal([1, 2], tooFew.Members.Select(static member => (int)member.NodeId));
        Assert.StartsWith("All requires 2 of 2 members (nodes 1 and 2), but the members that are up cannot satisfy this.", tooFew.Message, StringComparison.Ordinal);

        await cluster[1].Node.DisposeAsync();
        var unreachable = await Assert.ThrowsAsync<TimeoutException>(async () => await cakes.PutAsync(3, "Angel"u8.ToArray(), Consistency.None, Canceled));
        Assert.Contains("Nothing was written", unreachable.Message, StringComparison.Ordinal);
        Assert.NotNull(await cakes.GetAsync(1, Canceled));      // reads go on
    }

    [Fact]
    public async Task Condition_of_a_follower_is_checked_by_the_member_again()
    {
        await using var cluster = await TestCluster.StartAsync(1);
        await using var follower = await StartAsync(cluster, 1);
        var store = await follower.OpenStoreAsync(Canceled);
        await store.Keyspace("stock").PutAsync(1, "0"u8.ToArray(), Consistency.None, Canceled);
        int applied = 0;

        // Each task adds one if nobody has written meanwhile; the member decides.
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            for (int i = 0; i < 20; i++)
            {
                byte[] seen = (await store.Keyspace("stock").GetAsync(1, Canceled))!.Value!.Value.ToArray();
                var add = new Transaction();
                add.Require("stock", 1, document => document?.Value?.Span.SequenceEqual(seen) == true);
                add.Put("stock", 1, DocumentContent.OfRaw(Encoding.UTF8.GetBytes($"{int.Parse(seen, CultureInfo.InvariantCulture) + 1}")));
                try
                {
                    await store.CommitAsync(add, Consistency.None, Canceled);
                    Interlocked.Increment(ref applied);
                }
                catch (TransactionConflictException)
                {
                    // Another task was first.
                }
            }
        }, Canceled)));

        Assert.Equal($"{applied}", Encoding.UTF8.GetString((await cluster[1].Store.Keyspace("stock").GetAsync(1, Canceled))!.Value!.Value.Span));
    }

    static Task<DatacakeNode> StartAsync(TestCluster cluster, int member) => StartAsync(cluster, [member], new MemoryStorage());

    static async Task<DatacakeNode> StartAsync(TestCluster cluster, int[] members, IStorage storage, Action<ReplicatedStoreOptions>? configure = null)
    {
        var node = await DatacakeNode.StartAsync(options => options.AsFollower([.. members.Select(member => cluster[member].Node.Address)]).WithStore(store =>
        {
            store.ReportInterval = TimeSpan.FromMilliseconds(20);
            store.JoinTimeout = TestCluster.Deadline;
            configure?.Invoke(store);
        }));
        await node.AddExtensionAsync(new ReplicatedStoreExtension(storage), Canceled);
        return node;
    }
}
