using System.Net;
using Datacake.Node.Gossip;
using Datacake.Node.Membership;

namespace Datacake.Node.Tests;

/// <summary>The choice among several identities of a node, and between two nodes with one id, on virtual time.</summary>
public sealed class NamesakeTests
{
    const ulong RetiredStore = 0xA;
    const ulong NewStore = 0xB;

    static readonly IPEndPoint SharedIdentity = IPEndPoint.Parse("127.0.1.1:7001");

    [Fact]
    public void Nodes_whose_own_names_resolve_to_one_loopback_address_find_each_other_without_their_seed()
    {
        using var cluster = new SimulatedCluster(seed: 40);
        StartThreeWithOneIdentity(cluster);
        cluster.Nodes[0].IsCrashed = true;
        cluster.RunUntil(() => cluster.Nodes[1].StateOf(1) == MemberState.Down, maxRounds: 20);
        cluster.RunRounds(120);
        Assert.Equal(MemberState.Up, cluster.Nodes[1].StateOf(3));
        Assert.Equal(MemberState.Up, cluster.Nodes[2].StateOf(2));
    }

    [Fact]
    public void Planned_stop_is_recognized_even_if_all_identities_share_one_loopback_address()
    {
        using var cluster = new SimulatedCluster(seed: 41);
        StartThreeWithOneIdentity(cluster);
        cluster.Nodes[2].Leave(cluster);
        Assert.Equal(MemberState.Left, cluster.Nodes[0].StateOf(3));
        Assert.Equal(MemberState.Left, cluster.Nodes[1].StateOf(3));
    }

    [Fact]
    public void Restarted_node_replaces_its_earlier_run_even_if_all_identities_share_one_loopback_address()
    {
        using var cluster = new SimulatedCluster(seed: 42);
        StartThreeWithOneIdentity(cluster);
        var old = cluster.Nodes[1];
        old.IsCrashed = true;
        cluster.Start(2, port: old.Address.Port, identity: SharedIdentity, seeds: cluster.Nodes[0]);
        cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 15);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-5)]
    public void Node_that_left_is_shown_as_left_whatever_its_clock_did_between_two_runs(int seconds)
    {
        using var cluster = new SimulatedCluster(seed: 43);
        cluster.StartMany(3);
        cluster.RunRounds(30);
        var killed = cluster.Nodes[2];
        killed.IsCrashed = true;
        var next = cluster.Start(
            3,
            port: killed.Address.Port,
            generation: (ulong)((long)killed.Id.Generation + seconds * TimeSpan.TicksPerSecond + 1),
            seeds: cluster.Nodes[0]);
        cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 20);
        next.Leave(cluster);
        cluster.RunRounds(30);
        Assert.All(cluster.Running, node => Assert.Equal(MemberState.Left, node.StateOf(3)));
    }

    [Fact]
    public void Earlier_run_does_not_return_when_the_later_run_dies_too()
    {
        using var cluster = new SimulatedCluster(seed: 44);
        cluster.StartMany(3);
        cluster.RunRounds(30);
        var old = cluster.Nodes[2];
        old.IsCrashed = true;
        var next = cluster.Start(3, port: old.Address.Port, seeds: cluster.Nodes[0]);
        cluster.RunUntil(() => cluster.Agree(cluster.Running), maxRounds: 20);
        next.IsCrashed = true;
        cluster.RunRounds(60);
        Assert.True(cluster.Nodes[0].Gossiper.IsEarlierLife(old.Id));
        Assert.False(cluster.Nodes[0].Gossiper.IsEarlierLife(next.Id));
        Assert.Equal(next.Id.Generation, cluster.Nodes[0].Members.Single(member => member.NodeId == 3).Generation);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Node_with_the_retired_store_gives_way_to_its_namesake_whichever_started_first(bool isRetiredFirst)
    {
        using var cluster = new SimulatedCluster(seed: 45);
        cluster.StartMany(2);
        var (retired, replacement) = isRetiredFirst
            ? (StartWithStore(RetiredStore), StartWithStore(NewStore))
            : Swapped(StartWithStore(NewStore), StartWithStore(RetiredStore));
        foreach (var node in cluster.Nodes.Where(node => node != retired))
            node.Gossiper.RetiredStores = new HashSet<ulong> { RetiredStore };
        // The two nodes have not known of each other until this exchange.
        cluster.Exchange(isRetiredFirst ? replacement : retired, [new GossipTarget((isRetiredFirst ? retired : replacement).Address)]);

        cluster.RunUntil(() => retired.Gossiper.GivesWay, maxRounds: 10);
        cluster.RunRounds(60);
        Assert.True(retired.Gossiper.GivesWay);
        Assert.False(replacement.Gossiper.GivesWay);
        Assert.All(cluster.Nodes.Take(2), node => Assert.Equal(replacement.Id.Generation, node.Members.Single(member => member.NodeId == 3).Generation));
        var told = retired.Refusals.Last(refusal => refusal.IsOwnFault).Describe(retired.Id, "test", "");
        Assert.Contains($"The store of {retired.Id} was retired", told, StringComparison.Ordinal);
        Assert.Contains($"{replacement.Id} has taken its place", told, StringComparison.Ordinal);
        Assert.Contains(replacement.Refusals, refusal => refusal is { Reason: GossipRefusalReason.RetiredStore, IsOwnFault: false });

        SimulatedNode StartWithStore(ulong store)
        {
            var node = cluster.Start(3, seeds: cluster.Nodes.Take(2).ToArray());
            node.Gossiper.Store = store;
            return node;
        }

        static (SimulatedNode, SimulatedNode) Swapped(SimulatedNode first, SimulatedNode second) => (second, first);
    }

    [Fact]
    public void Node_with_a_retired_store_does_not_participate_when_its_replacement_stops()
    {
        using var cluster = new SimulatedCluster(seed: 46);
        cluster.StartMany(2);
        var retired = cluster.Start(3, seeds: cluster.Nodes[0]);
        retired.Gossiper.Store = RetiredStore;
        var replacement = cluster.Start(3, seeds: cluster.Nodes[0]);
        replacement.Gossiper.Store = NewStore;
        replacement.Gossiper.RetiredStores = new HashSet<ulong> { RetiredStore };
        cluster.Exchange(replacement, [new GossipTarget(retired.Address)]);
        Assert.True(retired.Gossiper.GivesWay);
        replacement.IsCrashed = true;
        cluster.RunRounds(120);
        Assert.True(retired.Gossiper.GivesWay);
    }

    [Fact]
    public void Node_does_not_give_way_to_an_unproven_retirement_where_a_proof_is_needed()
    {
        using var cluster = new SimulatedCluster(seed: 49) { RetirementNeedsProof = true };
        cluster.StartMany(2);
        var node = cluster.Start(3, seeds: cluster.Nodes[0]);
        node.Gossiper.Store = RetiredStore;
        var liar = cluster.Start(3, seeds: cluster.Nodes[0]);
        liar.Gossiper.Store = NewStore;
        liar.Gossiper.RetiredStores = new HashSet<ulong> { RetiredStore };
        cluster.Exchange(liar, [new GossipTarget(node.Address)]);
        liar.IsCrashed = true;
        cluster.RunRounds(120);
        Assert.False(node.Gossiper.GivesWay);
    }

    [Fact]
    public void Next_run_of_a_replacement_knows_the_retired_store_before_it_meets_another_node()
    {
        using var cluster = new SimulatedCluster(seed: 47);
        var retired = cluster.Start(3);
        retired.Gossiper.Store = RetiredStore;
        var replacement = cluster.Start(3);
        replacement.Gossiper.Store = NewStore;
        replacement.Gossiper.RetiredStores = new HashSet<ulong> { RetiredStore };
        replacement.IsCrashed = true;

        var restarted = cluster.Start(3, port: replacement.Address.Port);
        restarted.Gossiper.Recall(replacement.Gossiper.Remember());
        cluster.Exchange(restarted, [new GossipTarget(retired.Address)]);
        Assert.False(restarted.Gossiper.GivesWay);
        Assert.True(retired.Gossiper.GivesWay);
    }

    [Fact]
    public void Node_of_another_implementation_with_an_id_in_use_is_detected_and_is_not_a_member()
    {
        using var cluster = new SimulatedCluster(seed: 48);
        cluster.StartMany(3);
        var foreign = cluster.StartChitchat("1", seeds: cluster.Nodes[2]);
        foreign.Set("node.address", "10.0.0.9:7001");
        cluster.RunUntil(() => cluster.Nodes.All(node => node.Alive.Contains(foreign.Id)), maxRounds: 30);

        using var log = new CollectingLog();
        var noticed = new ForeignNamesakes(log);
        foreach (var node in cluster.Nodes)
        {
            noticed.Report(node.Gossiper.Nodes, node.Gossiper.IsAlive);
            Assert.Equal(cluster.Nodes[0].Address.ToString(), node.Members.Single(member => member.NodeId == 1).Address);
        }
        Assert.Equal(1, log.Count($"A node of another implementation, {foreign.Id}, uses the id 1"));

        // Nor is the foreign node a member while the Datacake node is down.
        cluster.Nodes[0].IsCrashed = true;
        cluster.RunUntil(() => cluster.Nodes[1].StateOf(1) == MemberState.Down, maxRounds: 20);
        Assert.Equal(cluster.Nodes[0].Address.ToString(), cluster.Nodes[1].Members[0].Address);

        foreign.IsCrashed = true;
        cluster.RunRounds(60);
        noticed.Report(cluster.Nodes[1].Gossiper.Nodes, cluster.Nodes[1].Gossiper.IsAlive);
        Assert.True(log.Contains($"{foreign.Id}, no longer uses"));
    }

    [Fact]
    public void Node_with_another_version_of_the_protocol_is_logged_while_it_is_up_and_is_a_member()
    {
        using var cluster = new SimulatedCluster(seed: 49);
        cluster.StartMany(3);
        cluster.Nodes[2].Gossiper.Set("node.protocol", "2");
        cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 30);

        using var log = new CollectingLog();
        var noticed = new OtherProtocols(log);
        for (int round = 0; round < 3; round++)
            noticed.Report(cluster.Nodes[0].Gossiper.Nodes, cluster.Nodes[0].Gossiper.IsAlive);
        Assert.Equal(1, log.Count("speaks version 2 of the node protocol, but this node speaks version 1"));
        Assert.Equal(MemberState.Up, cluster.Nodes[0].StateOf(3));

        cluster.Nodes[2].IsCrashed = true;
        cluster.RunUntil(() => cluster.Nodes[0].StateOf(3) == MemberState.Down, maxRounds: 30);
        noticed.Report(cluster.Nodes[0].Gossiper.Nodes, cluster.Nodes[0].Gossiper.IsAlive);
        Assert.True(log.Contains("with version 2 of the node protocol is up any longer"));
    }

    static void StartThreeWithOneIdentity(SimulatedCluster cluster)
    {
        for (var nodeId = 1; nodeId <= 3; nodeId++)
            cluster.Start(nodeId, identity: SharedIdentity, seeds: cluster.Nodes.Take(1).ToArray());
        cluster.RunUntil(() => cluster.Agree(cluster.Nodes), maxRounds: 15);
        cluster.RunRounds(20);
    }
}
