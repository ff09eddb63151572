using System.Net;
using Datacake.Crdt;
using Datacake.Node.Gossip;
using Datacake.Node.Membership;
using Datacake.Node.Network;
using Microsoft.Extensions.Logging.Abstractions;

namespace Datacake.Node.Tests;

/// <summary>The stamps of peers that the cluster clock follows or ignores.</summary>
public sealed class PeerClocksTests : IDisposable
{
    static readonly TimeSpan Limit = TimeSpan.FromSeconds(4_100);

    readonly VirtualTime _time = new();
    readonly CollectingLog _log = new();
    readonly HybridLogicalClock _clock;
    readonly NodeMetrics _metrics = new(1, new MembershipView(NullLogger.Instance));
    readonly PeerClocks _clocks;

    public PeerClocksTests()
    {
        _clock = new HybridLogicalClock(1, _time);
        _clocks = new PeerClocks(1, _clock, Limit, _time, _metrics, _log);
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData(4_099, true)]
    [InlineData(-4_099, true)]
    [InlineData(4_101, false)]
    [InlineData(-4_101, false)]
    public void Stamp_is_followed_only_if_the_wall_clocks_differ_by_at_most_the_limit(int seconds, bool isFollowed)
    {
        var stamp = StampAt(TimeSpan.FromHours(1));
        _clocks.Take(Sender(TimeSpan.FromSeconds(seconds), stamp));
        Assert.Equal(isFollowed, _clock.Last >= stamp);
        Assert.Equal(TimeSpan.FromSeconds(seconds), _clocks.Offsets[2]);
    }

    [Theory]
    [InlineData(6.9, true)]
    [InlineData(7.1, false)]
    public void Stamp_is_followed_only_up_to_7_days_ahead_of_the_wall_clock(double days, bool isFollowed)
    {
        var stamp = StampAt(TimeSpan.FromDays(days));
        _clocks.Take(Sender(TimeSpan.Zero, stamp));
        Assert.Equal(isFollowed, _clock.Last >= stamp);
    }

    [Fact]
    public void Cluster_clock_a_year_ahead_of_the_wall_clock_keeps_its_value()
    {
        var year = StampAt(TimeSpan.FromDays(365));
        _clock.AdvanceTo(year);
        _clocks.Take(Sender(TimeSpan.Zero, year));
        _clocks.Take(Sender(TimeSpan.Zero, StampAt(TimeSpan.FromDays(366))));
        Assert.Equal(year, _clock.Last);
    }

    [Fact]
    public void A_sender_without_a_wall_clock_does_not_move_the_clock()
    {
        _clocks.Take(Sender(TimeSpan.Zero, StampAt(TimeSpan.FromHours(1))) with { WallClock = null });
        Assert.Equal(default, _clock.Last);
        Assert.Empty(_clocks.Offsets);
    }

    [Fact]
    public void Lasting_difference_is_logged_with_both_wall_clocks_when_it_begins_and_ends()
    {
        for (var message = 0; message < 100; message++)
            _clocks.Take(Sender(TimeSpan.FromHours(2), StampAt(TimeSpan.FromDays(3))));
        var begun = Assert.Single(_log.Messages);
        Assert.Contains("node 1 (2026-01-01 00:00:00Z)", begun, StringComparison.Ordinal);
        Assert.Contains("node 2 at 127.0.0.1:7002 (generation 5) (2026-01-01 02:00:00Z)", begun, StringComparison.Ordinal);
        Assert.Contains("differ by 02:00:00, more than the limit of 01:08:20", begun, StringComparison.Ordinal);

        for (var message = 0; message < 100; message++)
            _clocks.Take(Sender(TimeSpan.Zero, StampAt(TimeSpan.Zero)));
        Assert.Contains("agree again", _log.Messages.Last(), StringComparison.Ordinal);
        Assert.Equal(2, _log.Messages.Count);
    }

    [Fact]
    public void Delayed_message_is_not_logged_as_a_clock_difference()
    {
        _clocks.Take(Sender(-TimeSpan.FromHours(2), StampAt(TimeSpan.Zero)));
        _clocks.Take(Sender(TimeSpan.Zero, StampAt(TimeSpan.Zero)));
        Assert.Empty(_log.Messages);
    }

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void Any_number_is_accepted_as_a_wall_clock(long wallClock)
    {
        _clocks.Take(Sender(TimeSpan.Zero, StampAt(TimeSpan.FromHours(1))) with { WallClock = wallClock });
        Assert.Equal(default, _clock.Last);
    }

    GossipSender Sender(TimeSpan offset, HlcTimestamp stamp) => new(
        new GossipId("2", 5, IPEndPoint.Parse("127.0.0.1:7002")),
        "test",
        stamp.Packed,
        (_time.GetUtcNow() + offset).ToUnixTimeMilliseconds());

    HlcTimestamp StampAt(TimeSpan lead) => new((uint)(_time.GetUtcNow() + lead - HlcTimestamp.Epoch).TotalSeconds, 0, 0, 2);
}
