using System.Net;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

public sealed class PeerSelectionTests
{
    static readonly GossipTarget[] Peers =
        [.. Enumerable.Range(1, 20).Select(port => new GossipTarget(new IPEndPoint(IPAddress.Loopback, port)))];

    readonly Random _random = new(1);

    [Fact]
    public void Three_of_the_living_are_chosen() =>
        Repeat(() => Assert.Equal(3, PeerSelection.Choose(Peers, [], [], _random).Distinct().Count()));

    [Fact]
    public void All_are_chosen_where_there_are_no_more() =>
        Repeat(() => Assert.Equal(Peers[..2].ToHashSet(), PeerSelection.Choose(Peers[..2], [], [], _random).ToHashSet()));

    [Fact]
    public void The_dead_are_tried_when_nobody_lives() =>
        Repeat(() => Assert.InRange(PeerSelection.Choose([], Peers, [], _random).Count, 3, 4));

    [Fact]
    public void A_seed_is_always_tried_when_nobody_lives() =>
        Repeat(() => Assert.Contains(Peers[9], PeerSelection.Choose([], Peers[..5], [Peers[9]], _random)));

    [Fact]
    public void One_of_many_dead_is_tried_in_every_round() =>
        Repeat(() => Assert.Contains(PeerSelection.Choose(Peers[..3], Peers[3..], [], _random), peer => Array.IndexOf(Peers, peer) >= 3));

    [Fact]
    public void One_dead_among_many_is_tried_now_and_then()
    {
        var tried = Enumerable.Range(0, 1_000).Count(_ => PeerSelection.Choose(Peers[..9], Peers[9..10], [], _random).Contains(Peers[9]));
        Assert.InRange(tried, 50, 200);
    }

    [Fact]
    public void A_seed_that_is_cut_off_is_tried_now_and_then()
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
