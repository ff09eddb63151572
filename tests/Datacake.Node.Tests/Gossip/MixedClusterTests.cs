using System.Net;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

/// <summary>Nodes of ours and nodes that do what the Rust library does, on virtual time.</summary>
public sealed class MixedClusterTests(ITestOutputHelper output)
{
    const int LargeState = 60_000;

    [Fact]
    public void Traffic_at_rest_stays_below_2_KB_a_second_though_the_other_implementation_has_large_earlier_lives()
    {
        using var cluster = new SimulatedCluster(seed: 30);
        var ours = cluster.Start(1);
        RestartLarge(cluster, ours, restarts: 4);

        var perNode = BytesPerNodeAndSecond(cluster, nodes: 3);
        output.WriteLine($"{perNode:N0} bytes a node and second at rest, {ours.Gossiper.Nodes.Count} identities");
        Assert.InRange(perNode, 1, 2_000);
    }

    [Fact]
    public void News_of_the_other_implementation_arrives_in_3_rounds_though_it_has_large_earlier_lives()
    {
        using var cluster = new SimulatedCluster(seed: 31);
        var ours = cluster.Start(1);
        var other = RestartLarge(cluster, ours, restarts: 6);
        other.Set("news", "here");
        cluster.RunUntil(() => ours.Get(other.Id, "news") == "here", maxRounds: 3);
    }

    [Fact]
    public void A_dead_node_that_the_other_implementation_remembers_for_longer_costs_nothing_and_is_no_member()
    {
        using var cluster = new SimulatedCluster(seed: 32);
        cluster.Options.ForgetAfter = TimeSpan.FromMinutes(10);
        var ours = cluster.Start(1);
        var other = cluster.StartChitchat("2", seeds: ours);
        var dead = cluster.StartChitchat("3", seeds: ours);
        dead.Fill(LargeState);
        dead.Set("last", "1");
        cluster.RunUntil(() => ours.Get(dead.Id, "last") == "1", maxRounds: 40);
        dead.IsCrashed = true;
        cluster.Run(TimeSpan.FromMinutes(15));

        Assert.True(ours.Gossiper.IsForgotten(dead.Id));
        Assert.InRange(BytesPerNodeAndSecond(cluster, nodes: 2), 1, 2_000);

        // Once nobody names it any more, nothing of it is left.
        other.IsCrashed = true;
        cluster.Run(TimeSpan.FromMinutes(6));
        Assert.DoesNotContain(dead.Id, ours.Gossiper.Nodes.Select(node => node.Id));
    }

    [Fact]
    public void Digests_have_a_bound_however_often_a_node_restarts()
    {
        using var cluster = new SimulatedCluster(seed: 33);
        cluster.StartMany(3);
        Restart(cluster, lives: 300);
        Assert.All(
            cluster.Running, node => Assert.InRange(node.Gossiper.CreateSyn().Digest.Entries.Count, 3, 3 + EarlierLives.KeptOfEach));
        cluster.Run(EarlierLives.ShortMemory + TimeSpan.FromMinutes(1));
        Assert.All(cluster.Running, node => Assert.InRange(node.Gossiper.Nodes.Count, 3, 3 + EarlierLives.KeptOfEach));
    }

    [Fact]
    public void A_digest_names_as_many_earlier_lives_as_the_other_implementation_does()
    {
        using var cluster = new SimulatedCluster(seed: 34);
        cluster.StartMany(2);
        var other = cluster.StartChitchat("9", seeds: cluster.Nodes[0]);
        Restart(cluster, lives: 40);
        Assert.InRange(other.NodesNamed, 30, 43);
        Assert.All(cluster.Running, node => Assert.InRange(node.Gossiper.CreateSyn().Digest.Entries.Count, 30, other.NodesNamed + 1));
        Assert.InRange(BytesPerNodeAndSecond(cluster, nodes: 3), 1, 3 * 2 * 2 * 47 * 43);

        // What is named only on its behalf is forgotten once it is gone.
        other.IsCrashed = true;
        cluster.Run(3 * EarlierLives.ShortMemory);
        Assert.All(cluster.Running, node => Assert.InRange(node.Gossiper.CreateSyn().Digest.Entries.Count, 2, 4 + EarlierLives.KeptOfEach));
    }

    [Fact]
    public void A_node_is_no_earlier_life_because_a_node_with_another_id_has_its_address()
    {
        using var cluster = new SimulatedCluster(seed: 35);
        cluster.StartMany(3);
        cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 10);
        var old = cluster.Nodes[2];
        old.IsCrashed = true;
        cluster.Start(4, port: old.Address.Port, seeds: cluster.Nodes[0]);
        cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 15);
        Assert.All(cluster.Running, node => Assert.False(node.Gossiper.IsEarlierLife(old.Id)));
    }

    /// <summary>
    /// The exchange, byte by byte: a node of the library names its earlier life, sends it when it is not named with entries, and finds it named
    /// with them from then on.
    /// </summary>
    [Fact]
    public void An_earlier_life_is_named_in_the_bytes_of_a_digest_once_it_was_received()
    {
        var time = new VirtualTime();
        var self = new GossipId("1", 7, IPEndPoint.Parse("127.0.0.1:7001"));
        var gossiper = new Gossiper(new GossipSettings
        {
            Self = self,
            ClusterId = "demo",
            Options = new GossipOptions(),
            MaxMessageLength = 65_507,
            TimeProvider = time,
            Random = new Random(1),
        });
        using var codec = new GossipCodec();

        var reply = Receive(MixedPackets.Syn);
        Assert.Equal(MixedPackets.SynAck, reply[..MixedPackets.SynAck.Length]);
        Assert.Empty(Receive(MixedPackets.Ack));
        // The later life shows that it runs: two more heartbeats of it, and none of the earlier one.
        for (byte heartbeat = 5; heartbeat <= 6; heartbeat++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            Receive(MixedPackets.SynWithHeartbeat(heartbeat));
            gossiper.StartRound();
        }
        var earlier = gossiper.Nodes.Single(node => node.Id.Generation == 1);
        Assert.True(gossiper.IsEarlierLife(earlier.Id));
        var syn = codec.Encode(gossiper.CreateSyn());
        Assert.Equal(MixedPackets.SynThatNamesTheEarlierLife(heartbeat: (byte)gossiper.Self.Heartbeat), syn[..MixedPackets.LengthOfSynWithThree]);

        byte[] Receive(byte[] packet)
        {
            Assert.True(codec.TryDecode(packet, out var message, out var error), error);
            return gossiper.Handle(message, out _) is { } answer ? codec.Encode(answer) : [];
        }
    }

    /// <summary>
    /// A node of the library that restarts again and again, each time at the same address with much to say, beside another one that remembers
    /// all its lives.
    /// </summary>
    static ChitchatNode RestartLarge(SimulatedCluster cluster, SimulatedNode ours, int restarts)
    {
        cluster.StartChitchat("9", seeds: ours);
        ChitchatNode? other = null;
        for (var life = 0; life <= restarts; life++)
        {
            other = cluster.StartChitchat("2", other?.Address.Port, seeds: ours);
            other.Fill(LargeState);
            other.Set("life", $"{life}");
            var id = other.Id;
            cluster.RunUntil(() => ours.Get(id, "life") == $"{life}", maxRounds: 100);
            other.IsCrashed = life < restarts;
        }
        cluster.RunRounds(120);
        Assert.Equal(restarts, ours.Gossiper.Nodes.Count(node => ours.Gossiper.IsEarlierLife(node.Id)));
        return other!;
    }

    static void Restart(SimulatedCluster cluster, int lives)
    {
        for (var life = 0; life < lives; life++)
        {
            cluster.RunRounds(10);
            var last = cluster.Nodes[^1];
            last.IsCrashed = true;
            cluster.Start(3, port: last.Address.Port, seeds: cluster.Nodes.Take(2).ToArray());
        }
        cluster.RunRounds(10);
    }

    static double BytesPerNodeAndSecond(SimulatedCluster cluster, int nodes)
    {
        cluster.BytesSent = 0;
        cluster.Run(TimeSpan.FromMinutes(1));
        return cluster.BytesSent / 60.0 / nodes;
    }
}
