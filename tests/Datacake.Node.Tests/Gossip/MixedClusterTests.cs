using System.Net;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

/// <summary>Clusters of Datacake nodes and nodes that behave like the Rust library, on virtual time.</summary>
public sealed class MixedClusterTests(ITestOutputHelper output)
{
    const int LargeState = 60_000;

    [Fact]
    public void Idle_traffic_stays_below_2_KB_per_second_despite_large_earlier_runs_of_the_other_implementation()
    {
        using var cluster = new SimulatedCluster(seed: 30);
        var ours = cluster.Start(1);
        RestartLarge(cluster, ours, restarts: 4);

        var perNode = BytesPerNodeAndSecond(cluster, nodes: 3);
        output.WriteLine($"{perNode:N0} bytes a node and second at rest, {ours.Gossiper.Nodes.Count} identities");
        Assert.InRange(perNode, 1, 2_000);
    }

    [Fact]
    public void Changes_of_the_other_implementation_arrive_in_3_rounds_despite_its_large_earlier_runs()
    {
        using var cluster = new SimulatedCluster(seed: 31);
        var ours = cluster.Start(1);
        var other = RestartLarge(cluster, ours, restarts: 6);
        other.Set("news", "here");
        cluster.RunUntil(() => ours.Get(other.Id, "news") == "here", maxRounds: 3);
    }

    [Fact]
    public void Dead_node_that_only_the_other_implementation_remembers_causes_no_traffic_and_is_not_a_member()
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

        // Once no node names the dead node, nothing of it is left.
        other.IsCrashed = true;
        cluster.Run(TimeSpan.FromMinutes(6));
        Assert.DoesNotContain(dead.Id, ours.Gossiper.Nodes.Select(node => node.Id));
    }

    [Fact]
    public void Digests_stay_small_however_often_a_node_restarts()
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
    public void Digest_names_as_many_earlier_runs_as_the_other_implementation_does()
    {
        using var cluster = new SimulatedCluster(seed: 34);
        cluster.StartMany(2);
        var other = cluster.StartChitchat("9", seeds: cluster.Nodes[0]);
        Restart(cluster, lives: 40);
        Assert.InRange(other.NodesNamed, 30, 43);
        Assert.All(cluster.Running, node => Assert.InRange(node.Gossiper.CreateSyn().Digest.Entries.Count, 30, other.NodesNamed + 1));
        Assert.InRange(BytesPerNodeAndSecond(cluster, nodes: 3), 1, 3 * 2 * 2 * 47 * 43);

        // Earlier runs that are named only for the other node are forgotten once that node is gone.
        other.IsCrashed = true;
        cluster.Run(3 * EarlierLives.ShortMemory);
        Assert.All(cluster.Running, node => Assert.InRange(node.Gossiper.CreateSyn().Digest.Entries.Count, 2, 4 + EarlierLives.KeptOfEach));
    }

    [Fact]
    public void Node_whose_address_a_different_node_has_is_not_an_earlier_run()
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
    /// Tests the exchange byte by byte: a node of the library names its earlier run, sends its entries when a digest does not name it with entries, and
    /// from then on finds it named with them.
    /// </summary>
    [Fact]
    public void Earlier_run_is_named_in_the_bytes_of_a_digest_once_it_is_received()
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
        // The later run proves that it is live with two more heartbeats. The earlier run has none.
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
    /// Restarts a node of the library again and again, each time at the same address with much to publish, beside another one that remembers all its
    /// runs.
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
