using System.Net;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

public sealed class PeerSelectionTests
{
    static readonly GossipTarget[] Peers =
        [.. Enumerable.Range(1, 20).Select(port => new GossipTarget(new IPEndPoint(IPAddress.Loopback, port)))];

    readonly Random _random = new(1);

    [Fact]
    public void Three_live_peers_are_chosen() =>
        Repeat(() => Assert.Equal(3, PeerSelection.Choose(Peers, [], [], _random).Distinct().Count()));

    [Fact]
    public void All_live_peers_are_chosen_if_there_are_at_most_three() =>
        Repeat(() => Assert.Equal(Peers[..2].ToHashSet(), PeerSelection.Choose(Peers[..2], [], [], _random).ToHashSet()));

    [Fact]
    public void Dead_peers_are_tried_when_none_is_alive() =>
        Repeat(() => Assert.InRange(PeerSelection.Choose([], Peers, [], _random).Count, 3, 4));

    [Fact]
    public void Seed_is_always_tried_when_no_peer_is_alive() =>
        Repeat(() => Assert.Contains(Peers[9], PeerSelection.Choose([], Peers[..5], [Peers[9]], _random)));

    [Fact]
    public void One_of_many_dead_peers_is_tried_in_every_round() =>
        Repeat(() => Assert.Contains(PeerSelection.Choose(Peers[..3], Peers[3..], [], _random), peer => Array.IndexOf(Peers, peer) >= 3));

    [Fact]
    public void One_dead_peer_among_many_is_tried_occasionally()
    {
        var tried = Enumerable.Range(0, 1_000).Count(_ => PeerSelection.Choose(Peers[..9], Peers[9..10], [], _random).Contains(Peers[9]));
        Assert.InRange(tried, 50, 200);
    }

    [Fact]
    public void Seed_that_is_cut_off_is_tried_occasionally()
    {
        var tried = Enumerable.Range(0, 1_000).Count(_ => PeerSelection.Choose(Peers[..10], [], [Peers[19]], _random).Contains(Peers[19]));
        Assert.InRange(tried, 50, 200);
    }

    static void Repeat(Action check)
    {
        for (var i = 0; i < 100; i++)
            check();
    }
}
