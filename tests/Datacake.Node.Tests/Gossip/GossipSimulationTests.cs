using System.Globalization;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

/// <summary>Clusters on virtual time. To test a larger cluster too, set DATACAKE_GOSSIP_NODES to the number of nodes.</summary>
public sealed class GossipSimulationTests(ITestOutputHelper output)
{
    static int NodeCount { get; } =
        int.Parse(Environment.GetEnvironmentVariable("DATACAKE_GOSSIP_NODES") ?? "25", NumberStyles.None, CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(3)]
    [InlineData(25)]
    [InlineData(100)]
    public void All_nodes_agree_on_the_membership_within_10_rounds_of_the_last_start(int count)
    {
        using var cluster = new SimulatedCluster(seed: count);
        cluster.StartMany(count);
        var rounds = cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 10);
        output.WriteLine($"{count} nodes agree after {rounds} rounds");
    }

    [Theory]
    [InlineData(3)]
    [InlineData(25)]
    [InlineData(100)]
    public void A_crashed_node_is_down_on_all_others_within_15_rounds(int count)
    {
        using var cluster = new SimulatedCluster(seed: 1);
        cluster.StartMany(count);
        cluster.RunRounds(30);
        var crashed = cluster.Nodes[count / 2];
        crashed.IsCrashed = true;
        var rounds = cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 15);
        output.WriteLine($"down on {count - 1} nodes after {rounds} rounds");
        Assert.DoesNotContain(crashed.Id, cluster.Running.First().Alive);
    }

    [Fact]
    public void A_paused_node_is_found_down_and_comes_back_by_itself()
    {
        using var cluster = new SimulatedCluster(seed: 2);
        cluster.StartMany(NodeCount);
        cluster.RunRounds(30);
        var paused = cluster.Nodes[7];
        paused.IsPaused = true;
        cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 15);
        cluster.RunRounds(60);
        paused.IsPaused = false;
        cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 10);
    }

    [Fact]
    public void Node_that_was_paused_does_not_declare_the_others_dead()
    {
        using var cluster = new SimulatedCluster(seed: 3);
        cluster.StartMany(5);
        cluster.RunRounds(30);
        var paused = cluster.Nodes[2];
        paused.IsPaused = true;
        cluster.RunRounds(60);
        paused.IsPaused = false;
        cluster.RunRounds(1);
        Assert.Equal(5, paused.Alive.Count());
    }

    [Fact]
    public void No_live_node_is_declared_dead_in_10_minutes_with_10_percent_loss()
    {
        using var cluster = new SimulatedCluster(seed: 4);
        cluster.StartMany(NodeCount);
        cluster.RunRounds(15);
        cluster.Loss = 0.1;
        for (var second = 0; second < 600; second++)
        {
            cluster.RunRounds(1);
            Assert.True(cluster.Agree(cluster.Nodes), $"after {second} s");
        }
    }

    [Fact]
    public void Two_halves_of_a_split_cluster_find_each_other_again()
    {
        using var cluster = new SimulatedCluster(seed: 5);
        cluster.StartMany(10);
        cluster.RunRounds(30);
        var left = cluster.Nodes.Where((_, index) => index % 2 == 0).ToHashSet();
        cluster.IsCut = (from, to) => left.Contains(from) != left.Contains(to);
        cluster.RunUntil(() => left.All(node => node.Alive.Count() == 5), maxRounds: 15);
        cluster.RunRounds(300);
        cluster.IsCut = (_, _) => false;
        cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 15);
    }

    [Fact]
    public void Restarted_node_replaces_its_earlier_run()
    {
        using var cluster = new SimulatedCluster(seed: 9);
        cluster.StartMany(5);
        cluster.RunRounds(30);
        var old = cluster.Nodes[4];
        old.IsCrashed = true;
        var restarted = cluster.Start(5, port: old.Id.Address.Port, seeds: cluster.Nodes.Take(2).ToArray());
        cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 10);
        Assert.Contains(restarted.Id, cluster.Nodes[0].Alive);
        Assert.DoesNotContain(old.Id, cluster.Nodes[0].Alive);
    }

    [Fact]
    public void Node_that_restarts_with_its_clock_set_back_replaces_its_earlier_run()
    {
        using var cluster = new SimulatedCluster(seed: 17);
        cluster.StartMany(5);
        cluster.RunRounds(30);
        var old = cluster.Nodes[4];
        old.IsCrashed = true;
        var restarted = cluster.Start(5, port: old.Id.Address.Port, generation: 1, seeds: cluster.Nodes.Take(2).ToArray());
        cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 15);
        Assert.Contains(restarted.Id, cluster.Nodes[0].Alive);
    }

    [Fact]
    public void Dead_node_is_eventually_forgotten_and_does_not_return_through_others()
    {
        using var cluster = new SimulatedCluster(seed: 10);
        cluster.Options.ForgetAfter = TimeSpan.FromMinutes(10);
        cluster.StartMany(10);
        cluster.RunRounds(30);
        var dead = cluster.Nodes[4];
        dead.IsCrashed = true;
        cluster.Run(TimeSpan.FromMinutes(11));
        Assert.All(cluster.Running, node => Assert.DoesNotContain(dead.Id, node.Gossiper.Nodes.Select(known => known.Id)));
        cluster.Run(TimeSpan.FromMinutes(2));
        Assert.All(cluster.Running, node => Assert.DoesNotContain(dead.Id, node.Gossiper.Nodes.Select(known => known.Id)));
    }

    [Fact]
    public void A_node_that_keeps_crashing_does_not_fill_the_memory_of_the_others()
    {
        using var cluster = new SimulatedCluster(seed: 11);
        cluster.StartMany(3);
        for (var life = 0; life < 200; life++)
        {
            cluster.RunRounds(10);
            var last = cluster.Nodes[^1];
            last.IsCrashed = true;
            cluster.Start(3, port: last.Id.Address.Port, seeds: cluster.Nodes.Take(2).ToArray());
        }
        Assert.All(cluster.Nodes.Take(2), node => Assert.InRange(node.Gossiper.Nodes.Count, 3, 50));
    }

    [Fact]
    public void Later_of_two_nodes_with_one_id_gives_way_and_both_are_notified()
    {
        using var cluster = new SimulatedCluster(seed: 12);
        cluster.StartMany(5);
        cluster.RunRounds(20);
        var first = cluster.Nodes[3];
        var second = cluster.Start(4, seeds: cluster.Nodes.Take(2).ToArray());
        cluster.RunUntil(() => second.Gossiper.GivesWay, maxRounds: 5);
        Assert.Contains(second.Refusals, refusal => refusal.IsOwnFault && refusal.Peer!.Id.Equals(first.Id));
        Assert.Contains(first.Refusals, refusal => !refusal.IsOwnFault && refusal.Peer!.Id.Equals(second.Id));
        cluster.RunRounds(60);
        Assert.False(first.Gossiper.GivesWay);
        Assert.True(second.Gossiper.GivesWay);
        Assert.All(cluster.Nodes.Except([second]), node => Assert.Contains(first.Id, node.Alive));
        Assert.All(cluster.Nodes.Except([second]), node => Assert.DoesNotContain(second.Id, node.Alive));
    }

    [Fact]
    public void Node_that_gave_way_participates_once_the_other_has_stopped()
    {
        using var cluster = new SimulatedCluster(seed: 13);
        cluster.StartMany(5);
        cluster.RunRounds(20);
        var second = cluster.Start(4, seeds: cluster.Nodes.Take(2).ToArray());
        cluster.RunUntil(() => second.Gossiper.GivesWay, maxRounds: 5);
        cluster.Nodes[3].IsCrashed = true;
        cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 40);
        Assert.Contains(second.Id, cluster.Nodes[0].Alive);
    }

    [Fact]
    public void Nodes_of_two_clusters_refuse_each_other_and_both_are_notified()
    {
        using var cluster = new SimulatedCluster(seed: 14);
        var one = cluster.Start(1, cluster: "one");
        var two = cluster.Start(2, cluster: "two", seeds: one);
        cluster.RunRounds(10);
        Assert.Contains(one.Refusals, refusal => refusal.Reason == GossipRefusalReason.OtherCluster && refusal.Peer!.ClusterId == "two");
        Assert.Contains(two.Refusals, refusal => refusal.Reason == GossipRefusalReason.OtherCluster && refusal.Peer!.ClusterId == "one");
        Assert.Equal([one.Id], one.Alive);
        Assert.Equal([two.Id], two.Alive);
    }
}
