using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Tests.Links;

/// <summary>Connections between peers, some of which cannot be dialed, while addresses change hands.</summary>
public sealed class DialingTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, nameof(DialFate.Refused))]
    [InlineData(1, nameof(DialFate.Hangs))]
    [InlineData(9, nameof(DialFate.Refused))]
    [InlineData(9, nameof(DialFate.Hangs))]
    public async Task Node_that_cannot_be_dialed_replicates_and_is_read_whatever_its_id(int hidden, string fate)
    {
        await using var cluster = new TestCluster();
        string address = cluster.NextAddress();
        foreach (int node in new[] { 4, 5 })
        {
            var transport = new SeverableTransport { FateOf = dialed => dialed == address ? Enum.Parse<DialFate>(fate) : DialFate.Connects };
            await cluster.AddAsync(node, transport: transport);
        }
        await cluster.AddAsync(hidden, address: address);
        await cluster.WaitUntilConnectedAsync();
        foreach (var store in cluster.Stores)
            await store.Keyspace("cakes").PutAsync((int)store.Node.Id, "cake"u8.ToArray(), Consistency.All, Canceled);
        foreach (var store in cluster.Stores)
            Assert.Equal(3, (await store.Keyspace("cakes").GetManyAsync([4, 5, hidden], Consistency.All, Canceled)).Count);
    }

    [Fact]
    public async Task Nodes_find_each_other_after_one_takes_over_the_address_of_another()
    {
        var storage = new MemoryStorage[4];
        await using var cluster = await TestCluster.StartAsync(3, node => storage[node] = new MemoryStorage());
        string addressOfThird = cluster[3].Node.Address;
        await cluster[3].Node.StopAbruptlyAsync();
        await cluster[2].Node.StopAbruptlyAsync();
        var log = cluster[1].Log;
        await cluster.AddAsync(2, storage[2], address: addressOfThird);
        await cluster.WaitUntilAliveAsync(1, 2);
        await cluster.AddAsync(3, storage[3], address: cluster.NextAddress());
        await cluster.WaitUntilConnectedAsync();
        await cluster[3].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled);
        Assert.InRange(log.Count("Replication with node 3"), 0, 2);
    }

    [Fact]
    public async Task Nodes_find_each_other_after_two_swap_their_addresses()
    {
        var storage = new MemoryStorage[5];
        await using var cluster = await TestCluster.StartAsync(4, node => storage[node] = new MemoryStorage());
        string third = cluster[3].Node.Address, fourth = cluster[4].Node.Address;
        await cluster[3].Node.StopAbruptlyAsync();
        await cluster[4].Node.StopAbruptlyAsync();
        await cluster.AddAsync(3, storage[3], address: fourth);
        await cluster.WaitUntilAliveAsync(1, 3);
        await cluster.AddAsync(4, storage[4], address: third);
        await cluster.WaitUntilConnectedAsync();
        foreach (var store in cluster.Stores)
            await store.Keyspace("cakes").PutAsync((int)store.Node.Id, "cake"u8.ToArray(), Consistency.All, Canceled);
    }

    [Fact]
    public async Task Either_side_reopens_a_session_that_has_ended()
    {
        await using var cluster = await TestCluster.StartAsync(2);
        for (int node = 1; node <= 2; node++)
        {
            cluster[node].Transport.Cut();
            await cluster.WaitUntilAliveAsync(3 - node, 1);
            cluster[node].Transport.Heal();
            await cluster.WaitUntilConnectedAsync();
        }
    }

    [Fact]
    public async Task Unplugged_member_counts_for_no_level_as_soon_as_gossip_misses_it()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        cluster[3].Transport.Pause();
        await cluster.WaitUntilAliveAsync(1, 2);
        var cakes = cluster[1].Store.Keyspace("cakes");
        await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await cakes.PutAsync(1, "cake"u8.ToArray(), Consistency.All, Canceled));
        await cakes.PutAsync(1, "cake"u8.ToArray(), Consistency.Quorum, Canceled);
        Assert.Equal(MemberConnection.Down, cluster[1].Store.MemberStates.Single(member => member.NodeId == 3).State);
        // Gossip, the silent connection or the unplugged node itself, which closes it, reports it, whichever comes first.
        await cluster[1].Log.WaitUntilAsync("The session with node 3 at", " ended");

        cluster[3].Transport.Resume();
        await cluster.WaitUntilConnectedAsync();
        await cakes.PutAsync(2, "cake"u8.ToArray(), Consistency.All, Canceled);
    }

    [Fact]
    public async Task Member_that_waits_to_join_counts_for_no_level()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await cluster[3].Node.StopAbruptlyAsync();
        await cluster[2].Node.StopAbruptlyAsync();
        await cluster.WaitUntilAliveAsync(1, 1);
        await cluster.AddAsync(3);
        await TestCluster.WaitUntilAsync(
            () => cluster[1].Store.MemberStates.Any(member => member is { NodeId: 3, State: MemberConnection.InSession, HasJoined: false }),
            "node 3 is in session, and waits for node 2 to join");
        Assert.DoesNotContain(cluster[1].Store.Members, member => member.NodeId == 3);
        await Assert.ThrowsAsync<NotEnoughNodesException>(
            async () => await cluster[1].Store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.Quorum, Canceled));
    }

    [Fact]
    public async Task Retired_member_is_notified_and_its_sessions_end()
    {
        await using var cluster = await TestCluster.StartAsync(3);
        await cluster[1].Store.RetireAsync(3, Canceled);
        await TestCluster.WaitUntilAsync(
            () => cluster[3].Store.MemberStates.Where(member => member.NodeId != 3).All(member => member.State == MemberConnection.Refused),
            "node 3 knows that it is refused");
        Assert.All(cluster[3].Store.MemberStates.Where(member => member.NodeId != 3), member => Assert.Contains("retired", member.Reason, StringComparison.Ordinal));
        foreach (int node in new[] { 1, 2 })
        {
            await TestCluster.WaitUntilAsync(() => cluster[node].Store.Members.Count == 2, $"node {node} has one member less");
            await cluster[node].Store.Keyspace("cakes").PutAsync(node, "cake"u8.ToArray(), Consistency.All, Canceled);
        }
        Assert.True(cluster[3].Log.Contains("it refuses the session"));
    }
}
