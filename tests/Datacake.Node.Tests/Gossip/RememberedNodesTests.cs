using System.Net;
using CsCheck;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

public sealed class RememberedNodesTests
{
    static readonly TimeSpan Day = TimeSpan.FromDays(1);

    [Fact]
    public void Restarted_node_finds_the_others_from_its_memory_alone()
    {
        using var cluster = new SimulatedCluster(seed: 20);
        cluster.StartMany(25);
        cluster.RunRounds(30);
        var old = cluster.Nodes[7];
        old.IsCrashed = true;
        var restarted = cluster.Start(8, port: 30_000);
        restarted.Gossiper.Recall(old.Gossiper.Remember());
        Assert.Equal([restarted.Id], restarted.Alive);
        Assert.All(cluster.Running, node => Assert.Equal($"{node.Id.Address}", restarted.Get(node, "node.address")));
        cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 15);
    }

    [Fact]
    public void Node_that_is_down_is_forgotten_on_time_however_often_the_others_restart()
    {
        var time = new VirtualTime();
        var nodes = Kept(time, downFor: TimeSpan.Zero);
        for (var hour = 0; hour <= 24; hour += 6)
        {
            var gossiper = NewGossiper(time);
            gossiper.Recall(nodes);
            gossiper.StartRound();
            Assert.Equal(hour < 24, gossiper.Nodes.Any(node => node.Id.Name == "2"));
            nodes = gossiper.Remember();
            time.Advance(TimeSpan.FromHours(6));
        }
    }

    [Fact]
    public void Clock_set_back_never_makes_the_downtime_of_a_node_negative()
    {
        var time = new VirtualTime();
        var gossiper = NewGossiper(time);
        gossiper.Recall(Kept(time, downFor: -Day));
        gossiper.StartRound();
        Assert.Contains(gossiper.Nodes, node => node.Id.Name == "2");
        time.Advance(Day);
        gossiper.StartRound();
        Assert.DoesNotContain(gossiper.Nodes, node => node.Id.Name == "2");
    }

    [Fact]
    public void Remembered_nodes_round_trip() => GossipGen.Remembered.Sample(nodes =>
    {
        using var codec = new GossipCodec();
        Assert.True(RememberedNodes.TryDecode(nodes.Encode(codec), codec, out var read, out var error), error);
        Assert.Equal(nodes.ClusterId, read.ClusterId);
        Assert.Equal(nodes.DownSince, read.DownSince);
        Assert.Equal((nodes.Generation, nodes.Store), (read.Generation, read.Store));
        Assert.Equal(nodes.RetiredStores.Order(), read.RetiredStores.Order());
        Assert.Equal(
            nodes.States.Nodes.Select(node => (node.Id, node.MaxVersion)), read.States.Nodes.Select(node => (node.Id, node.MaxVersion)));
    });

    [Fact]
    public void Damaged_bytes_never_throw() => Gen.Select(
        GossipGen.Remembered, Gen.Int[0, int.MaxValue], Gen.Byte, Gen.Int[0, int.MaxValue]).Sample((nodes, place, value, cut) =>
        {
            using var codec = new GossipCodec();
            var bytes = nodes.Encode(codec);
            bytes[place % bytes.Length] = value;
            var isRead = RememberedNodes.TryDecode(bytes.AsSpan(0, cut % (bytes.Length + 1)), codec, out var read, out var error);
            Assert.Equal(isRead, read is not null);
            Assert.Equal(isRead, error is null);
        });

    static RememberedNodes Kept(VirtualTime time, TimeSpan downFor)
    {
        var id = new GossipId("2", 5, IPEndPoint.Parse("127.0.0.1:2"));
        return new RememberedNodes(
            "test",
            new Delta([new NodeDelta(id, 0, 0, [new DeltaEntry("node.address", "127.0.0.1:2", 1, EntryStatus.Set)])]),
            new Dictionary<GossipId, DateTimeOffset> { [id] = time.GetUtcNow() - downFor },
            Generation: 1,
            Store: 0,
            new HashSet<ulong>());
    }

    static Gossiper NewGossiper(VirtualTime time) => new(new GossipSettings
    {
        Self = new GossipId("1", (ulong)time.GetUtcNow().Ticks, IPEndPoint.Parse("127.0.0.1:1")),
        ClusterId = "test",
        Options = new GossipOptions(),
        MaxMessageLength = 65_507,
        TimeProvider = time,
        Random = new Random(1),
    });
}
