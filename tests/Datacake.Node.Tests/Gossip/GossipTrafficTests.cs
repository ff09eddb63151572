using System.Globalization;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

/// <summary>
/// The traffic of clusters on virtual time: entries of any size, garbage, and the number of bytes. To measure a larger cluster too, set
/// DATACAKE_GOSSIP_NODES to the number of nodes.
/// </summary>
public sealed class GossipTrafficTests(ITestOutputHelper output)
{
    [Fact]
    public void Published_and_deleted_keys_are_seen_by_all_nodes()
    {
        using var cluster = new SimulatedCluster(seed: 6);
        cluster.StartMany(25);
        var owner = cluster.Nodes[3];
        owner.Gossiper.Set("color", "red");
        cluster.RunUntil(() => cluster.Nodes.All(node => node.Get(owner, "color") == "red"), maxRounds: 10);
        owner.Gossiper.Set("color", "blue");
        cluster.RunUntil(() => cluster.Nodes.All(node => node.Get(owner, "color") == "blue"), maxRounds: 8);
        owner.Gossiper.Delete("color");
        cluster.RunUntil(() => cluster.Nodes.All(node => node.Get(owner, "color") is null), maxRounds: 8);
    }

    [Fact]
    public void A_deleted_key_stays_deleted_on_a_node_that_missed_the_delete_and_its_collection()
    {
        using var cluster = new SimulatedCluster(seed: 7);
        cluster.Options.TombstoneLifetime = TimeSpan.FromMinutes(5);
        cluster.StartMany(3);
        var (owner, away) = (cluster.Nodes[0], cluster.Nodes[2]);
        owner.Gossiper.Set("color", "red");
        owner.Gossiper.Set("size", "9");
        cluster.RunUntil(() => away.Get(owner, "color") == "red", maxRounds: 10);
        away.IsPaused = true;
        owner.Gossiper.Delete("color");
        cluster.Run(TimeSpan.FromMinutes(11));
        away.IsPaused = false;
        cluster.RunUntil(() => away.Get(owner, "color") is null, maxRounds: 10);
        Assert.Equal("9", away.Get(owner, "size"));
    }

    [Fact]
    public void Key_with_a_lifetime_expires()
    {
        using var cluster = new SimulatedCluster(seed: 8);
        cluster.Options.TombstoneLifetime = TimeSpan.FromMinutes(1);
        cluster.StartMany(3);
        var owner = cluster.Nodes[0];
        owner.Gossiper.Set("lease", "abc", EntryStatus.DeletedAfterTtl);
        cluster.RunUntil(() => cluster.Nodes.All(node => node.Get(owner, "lease") == "abc"), maxRounds: 10);
        cluster.Run(TimeSpan.FromMinutes(1.5));
        Assert.All(cluster.Nodes, node => Assert.Null(node.Get(owner, "lease")));
    }

    [Fact]
    public void Digests_and_deltas_larger_than_a_message_still_reach_all_nodes()
    {
        using var cluster = new SimulatedCluster(seed: 15, maxMessageLength: 1_200);
        cluster.StartMany(40);
        foreach (var node in cluster.Nodes)
            for (var i = 0; i < 20; i++)
                node.Gossiper.Set($"key-{i}", new string((char)('a' + i), 40) + node.Id.Name);
        cluster.RunUntil(
            () => cluster.Nodes.All(node => cluster.Nodes.All(
                owner => Enumerable.Range(0, 20).All(i => node.Get(owner, $"key-{i}") is not null))),
            maxRounds: 200);
        Assert.InRange(cluster.LongestMessage, 600, 1_200);
        cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 30);
    }

    [Fact]
    public void Entry_of_the_maximum_length_reaches_the_others_and_a_longer_one_is_refused()
    {
        using var cluster = new SimulatedCluster(seed: 16);
        cluster.StartMany(3);
        var owner = cluster.Nodes[0];
        var longest = owner.Gossiper.MaxEntryLength - 3;
        Assert.InRange(longest, 30_000, 65_507);
        var noise = new Random(1);
        var value = new string([.. Enumerable.Range(0, longest).Select(_ => (char)noise.Next(32, 127))]);
        var error = Assert.Throws<ArgumentException>(() => owner.Gossiper.Set("key", value + "x"));
        Assert.Contains("'key' cannot be published", error.Message, StringComparison.Ordinal);
        owner.Gossiper.Set("key", value);
        owner.Gossiper.Set("later", "1");
        cluster.RunUntil(
            () => cluster.Nodes.All(node => node.Get(owner, "key") == value && node.Get(owner, "later") == "1"), maxRounds: 10);
        Assert.InRange(cluster.LongestMessage, 1, 65_507);
    }

    [Fact]
    public void Garbage_leaves_nothing_behind_and_excludes_no_node()
    {
        using var cluster = new SimulatedCluster(seed: 18);
        cluster.StartMany(5, cluster: "demo");
        cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 10);
        var random = new Random(18);
        for (var i = 0; i < 5 * Garbage.PacketCount; i++)
            cluster.Inject(cluster.Nodes[i % 5], Garbage.Packet(random));
        Assert.True(cluster.Agree(cluster.Nodes));
        Assert.All(cluster.Nodes, node => Assert.InRange(node.Gossiper.Nodes.Count, 100, ClusterState.MaxNodes));

        cluster.Start(6, cluster: "demo", seeds: cluster.Nodes.Take(2).ToArray());
        cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 20);
        cluster.Run(TimeSpan.FromMinutes(6));
        Assert.True(cluster.Agree(cluster.Nodes));
        // Besides the six nodes, only the two whose captured packets arrived complete and with entries remain.
        Assert.All(cluster.Nodes, node => Assert.InRange(node.Gossiper.Nodes.Count, 6, 200));
        Assert.All(cluster.Nodes, node => Assert.All(
            cluster.Nodes.Take(5), owner => Assert.Equal(owner.Id.Address.ToString(), node.Get(owner, "node.address"))));
    }

    [Fact]
    public void Bytes_per_node_and_round_grow_at_most_linearly_with_the_nodes()
    {
        const int ExchangesBegun = 4;               // Three with live nodes, and occasionally one with a seed or a dead node.
        const int DigestEntry = 44;                 // The bytes for a node id of up to three digits.
        const int Rest = 150;                       // The three messages of an exchange without the two digests.
        var largest = int.Parse(Environment.GetEnvironmentVariable("DATACAKE_GOSSIP_NODES") ?? "100", CultureInfo.InvariantCulture);
        foreach (var count in ((int[])[5, 25, 100, largest]).Distinct())
        {
            using var cluster = new SimulatedCluster(seed: count);
            cluster.StartMany(count);
            cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 10);
            cluster.BytesSent = 0;
            cluster.RunRounds(4);
            var perNode = cluster.BytesSent / 4.0 / count;
            var bound = ExchangesBegun * (2 * DigestEntry * count + Rest);
            output.WriteLine(
                $"{count} nodes: {perNode:N0} bytes a node and round, of at most {bound:N0}; longest message {cluster.LongestMessage:N0}");
            Assert.InRange(perNode, 0, bound);
        }
    }
}
