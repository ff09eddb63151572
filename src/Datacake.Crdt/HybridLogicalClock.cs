namespace Datacake.Crdt;

/// <summary>
/// Issues stamps that are greater than the wall clock, than every stamp issued before and than every stamp observed, so that what
/// happened later has the greater stamp even where wall clocks disagree (Kulkarni et al., Logical Physical Clocks, 2014).
/// </summary>
/// <remarks>
/// Thread-safe and lock-free. It never waits: where more stamps are drawn than 4 ms have, it borrows from the next 4 ms.
/// </remarks>
public sealed class HybridLogicalClock
{
    /// <summary>How far ahead of this machine's wall clock a remote stamp may be, before it is refused.</summary>
    public static readonly TimeSpan MaxDrift = TimeSpan.FromSeconds(4_100);

    readonly TimeProvider _time;
    ulong _last;

    /// <summary>Creates the clock of a node, which starts above <paramref name="start"/>.</summary>
    public HybridLogicalClock(byte node, TimeProvider time, HlcTimestamp start = default)
    {
        Node = node;
        _time = time;
        _last = start.Packed;
    }

    /// <summary>The node whose stamps this clock issues.</summary>
    public byte Node { get; }

    /// <summary>The greatest stamp issued or observed.</summary>
    public HlcTimestamp Last => new(Volatile.Read(ref _last));

    /// <summary>Issues the next stamp.</summary>
    /// <exception cref="InvalidOperationException">The last stamp of all, of the year 2159, was observed: none is above it.</exception>
    public HlcTimestamp Tick()
    {
        ulong wall = WallClock();
        while (true)
        {
            ulong last = Volatile.Read(ref _last);
            ulong next = (Math.Max(wall, AfterInstant(last)) << HlcTimestamp.NodeBits) | Node;
            if (next <= last)
                throw new InvalidOperationException($"No stamp is above {Last}, which node {Node} has seen: its store is damaged.");
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
                return new HlcTimestamp(next);
        }
    }

    /// <summary>Makes every later stamp greater than <paramref name="stamp"/>.</summary>
    /// <exception cref="ClockDriftException">
    /// The stamp is more than <see cref="MaxDrift"/> ahead of this machine's clock; it is not observed.
    /// </exception>
    public void Observe(HlcTimestamp stamp)
    {
        if (stamp.Packed <= Volatile.Read(ref _last))
            return;
        var now = _time.GetUtcNow();
        if (stamp.Time - now > MaxDrift)
            throw new ClockDriftException(stamp, Node, now);
        AdvanceTo(stamp);
    }

    /// <summary>
    /// Makes every later stamp greater than <paramref name="stamp"/>, which comes from this node's own disk: it is believed however far
    /// ahead of the wall clock it is.
    /// </summary>
    public void AdvanceTo(HlcTimestamp stamp)
    {
        ulong last = Volatile.Read(ref _last);
        while (stamp.Packed > last)
        {
            ulong seen = Interlocked.CompareExchange(ref _last, stamp.Packed, last);
            if (seen == last)
                return;
            last = seen;
        }
    }

    /// <summary>The wall clock as seconds, fraction and counter 0: a stamp without its node.</summary>
    ulong WallClock()
    {
        long elapsed = Math.Max((_time.GetUtcNow() - HlcTimestamp.Epoch).Ticks, 0);
        ulong fractions = (ulong)elapsed / (HlcTimestamp.FractionMilliseconds * TimeSpan.TicksPerMillisecond);
        (ulong seconds, ulong fraction) = Math.DivRem(fractions, HlcTimestamp.FractionsPerSecond);
        return ((seconds << 8) | fraction) << HlcTimestamp.CounterBits;
    }

    /// <summary>The least seconds, fraction and counter above those of a packed stamp, carrying at 250 fractions.</summary>
    static ulong AfterInstant(ulong packed)
    {
        ulong next = (packed >> HlcTimestamp.NodeBits) + 1;
        ulong fraction = (next >> HlcTimestamp.CounterBits) & 0xFF;
        const int SecondsShift = HlcTimestamp.CounterBits + 8;
        return fraction < HlcTimestamp.FractionsPerSecond ? next : ((next >> SecondsShift) + 1) << SecondsShift;
    }
}
