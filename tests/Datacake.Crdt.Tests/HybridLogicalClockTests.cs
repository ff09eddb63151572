using System.Collections.Concurrent;
using CsCheck;

namespace Datacake.Crdt.Tests;

public class HybridLogicalClockTests
{
    const byte Node = 7;

    readonly ManualTimeProvider _time = new(HlcTimestamp.Epoch.AddSeconds(1_000).AddMilliseconds(42));

    [Fact]
    public void The_first_stamp_equals_the_wall_clock_within_4_ms()
    {
        Assert.Equal(new HlcTimestamp(1_000, 10, 0, Node), ClockAt().Tick());

        _time.Now = HlcTimestamp.Epoch.AddSeconds(1_001).AddTicks(-1);
        Assert.Equal(new HlcTimestamp(1_000, 249, 0, Node), ClockAt().Tick());
    }

    [Fact]
    public void Stamps_ascend_by_their_counter_while_the_wall_clock_stands_still()
    {
        var clock = ClockAt();
        Assert.Equal(new HlcTimestamp(1_000, 10, 0, Node), clock.Tick());
        Assert.Equal(new HlcTimestamp(1_000, 10, 1, Node), clock.Tick());
        Assert.Equal(new HlcTimestamp(1_000, 10, 2, Node), clock.Tick());
        Assert.Equal(new HlcTimestamp(1_000, 10, 2, Node), clock.Last);
    }

    [Fact]
    public void Stamps_stay_above_observed_and_earlier_stamps_while_the_wall_clock_jumps()
    {
        var operation = Gen.Select(Gen.Int[0, 3], Gen.Int[-60_000, 60_000], Gen.Byte, Gen.UShort);
        Gen.Select(Gen.Byte, operation.Array[1, 50]).Sample((node, operations) =>
        {
            var time = new ManualTimeProvider(HlcTimestamp.Epoch.AddDays(1));
            var clock = new HybridLogicalClock(node, time);
            var last = HlcTimestamp.None;
            foreach (var (kind, milliseconds, otherNode, counter) in operations)
            {
                if (kind == 0)
                    time.Now = time.Now.AddMilliseconds(milliseconds);
                else if (kind == 1)
                {
                    long elapsed = (long)(time.Now - HlcTimestamp.Epoch).TotalMilliseconds + milliseconds;
                    var remote = new HlcTimestamp((uint)(elapsed / 1000), (byte)(elapsed % 1000 / 4), counter, otherNode);
                    clock.Observe(remote);
                    last = HlcTimestamp.Max(last, remote);
                }
                else
                {
                    var stamp = clock.Tick();
                    Assert.True(stamp > last, $"{stamp} is not above {last}.");
                    Assert.True(stamp.Time > time.Now.AddMilliseconds(-4), $"{stamp} is behind the wall clock.");
                    Assert.Equal(node, stamp.Node);
                    Assert.True(stamp.Fraction < 250);
                    last = stamp;
                }
                Assert.Equal(last, clock.Last);
            }
        }, iter: 2_000);
    }

    [Theory]
    [InlineData("1000-0010-FFFF-0001", "1000-0011-0000-0007")]
    [InlineData("1000-0249-FFFF-0255", "1001-0000-0000-0007")]
    [InlineData("1000-0249-FFFE-0255", "1000-0249-FFFF-0007")]
    [InlineData("2000-0000-0000-0255", "2000-0000-0001-0007")]
    public void An_exhausted_counter_carries_into_the_next_fraction(string observed, string next)
    {
        var clock = ClockAt();
        clock.Observe(HlcTimestamp.Parse(observed, null));
        Assert.Equal(next, clock.Tick().ToString());
    }

    [Fact]
    public void A_fraction_that_no_clock_issues_carries_into_the_next_second()
    {
        var clock = ClockAt();
        clock.Observe(new HlcTimestamp(0x0000_1000_FF_0003_01));
        Assert.Equal(new HlcTimestamp(0x1001, 0, 0, Node), clock.Tick());
    }

    [Fact]
    public void A_burst_of_stamps_within_one_instant_neither_waits_nor_fails()
    {
        var clock = ClockAt();
        _time.Now = HlcTimestamp.Epoch.AddSeconds(1_000).AddMilliseconds(996);
        var previous = clock.Tick();
        for (int i = 0; i < 200_000; i++)
        {
            var stamp = clock.Tick();
            if (stamp <= previous || stamp.Fraction >= 250)
                Assert.Fail($"{stamp} follows {previous}.");
            previous = stamp;
        }
        Assert.Equal(new HlcTimestamp(1_001, 2, unchecked((ushort)200_000), Node), previous);
    }

    [Fact]
    public void A_clock_before_the_epoch_still_ticks()
    {
        _time.Now = HlcTimestamp.Epoch.AddDays(-1);
        var clock = ClockAt();
        Assert.Equal(new HlcTimestamp(0, 0, 1, Node), clock.Tick());
        Assert.Equal(new HlcTimestamp(0, 0, 2, Node), clock.Tick());
    }

    [Fact]
    public void A_clock_starts_above_the_greatest_stamp_of_its_store_however_far_ahead()
    {
        var stored = new HlcTimestamp(900_000, 0, 5, 1);
        Assert.Equal(new HlcTimestamp(900_000, 0, 6, Node), ClockAt(stored).Tick());

        var clock = ClockAt();
        clock.AdvanceTo(stored);
        Assert.Equal(new HlcTimestamp(900_000, 0, 6, Node), clock.Tick());
        clock.AdvanceTo(HlcTimestamp.None);
        Assert.Equal(new HlcTimestamp(900_000, 0, 7, Node), clock.Tick());
    }

    [Fact]
    public void A_stamp_too_far_ahead_is_refused_with_both_times_and_not_observed()
    {
        var clock = ClockAt();
        var before = clock.Tick();
        var wall = HlcTimestamp.AtEndOf(_time.Now).Seconds;
        uint limit = wall + (7 * 24 * 3_600);
        var stamp = new HlcTimestamp(limit + 1, 0, 0, 1);

        var error = Assert.Throws<ClockDriftException>(() => clock.Observe(stamp));

        Assert.Equal(stamp, error.Stamp);
        Assert.Equal(_time.Now, error.LocalTime);
        Assert.Contains($"{stamp}", error.Message, StringComparison.Ordinal);
        Assert.Contains("node 1", error.Message, StringComparison.Ordinal);
        Assert.Contains($"Node {Node}", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{stamp.Time:u}", error.Message, StringComparison.Ordinal);
        Assert.Contains($"{_time.Now:u}", error.Message, StringComparison.Ordinal);
        Assert.Contains("7 days", error.Message, StringComparison.Ordinal);
        Assert.Equal(before, clock.Last);
        clock.Observe(new HlcTimestamp(limit - 1, 0, 0, 1));
        Assert.True(before < clock.Last);
    }

    [Fact]
    public void A_clock_that_leads_its_wall_clock_accepts_stamps_a_little_above_its_own()
    {
        const uint Year = 365 * 24 * 3_600;
        var clock = ClockAt(new HlcTimestamp(Year, 0, 0, Node));

        clock.Observe(new HlcTimestamp(Year + 4_100, 0, 0, 1));

        Assert.Throws<ClockDriftException>(() => clock.Observe(new HlcTimestamp(Year + 8_201, 0, 0, 1)));
    }

    [Fact]
    public void Stamps_accepted_by_an_operator_are_observed_however_far_ahead()
    {
        const uint Year = 365 * 24 * 3_600;
        var clock = ClockAt();
        var stamp = new HlcTimestamp(Year, 0, 0, 1);
        Assert.Throws<ClockDriftException>(() => clock.Observe(stamp));

        clock.AcceptUpTo(stamp.Time);
        clock.Observe(stamp);

        Assert.Equal(stamp, clock.Last);
        Assert.Throws<ClockDriftException>(() => clock.Observe(new HlcTimestamp(Year + 4_102, 0, 0, 1)));
    }

    [Fact]
    public void A_clock_at_the_end_of_time_refuses_to_wrap()
    {
        var clock = ClockAt(new HlcTimestamp(uint.MaxValue, 249, ushort.MaxValue, 1));
        Assert.Throws<InvalidOperationException>(() => clock.Tick());
        Assert.Equal(uint.MaxValue, clock.Last.Seconds);
    }

    [Fact]
    public void Concurrently_issued_stamps_are_unique_and_ascend_on_each_thread()
    {
        const int Threads = 4, Ticks = 50_000;
        var clock = new HybridLogicalClock(Node, TimeProvider.System);
        var drawn = new ConcurrentBag<HlcTimestamp[]>();
        using var start = new Barrier(Threads);
        var threads = Enumerable.Range(0, Threads).Select(_ => new Thread(() =>
        {
            var stamps = new HlcTimestamp[Ticks];
            start.SignalAndWait();
            for (int i = 0; i < Ticks; i++)
            {
                stamps[i] = clock.Tick();
                if (i % 100 == 0)
                    clock.Observe(new HlcTimestamp(stamps[i].Packed + 0x300));
            }
            drawn.Add(stamps);
        })).ToArray();
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());

        Assert.All(drawn, stamps => Assert.True(stamps.SequenceEqual(stamps.Order())));
        Assert.Equal(Threads * Ticks, drawn.SelectMany(stamps => stamps).Distinct().Count());
    }

    HybridLogicalClock ClockAt(HlcTimestamp start = default) => new(Node, _time, start);
}
