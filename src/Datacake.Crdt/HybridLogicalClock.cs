namespace Datacake.Crdt;

/// <summary>
/// A hybrid logical clock (Kulkarni et al., Logical Physical Clocks, 2014). Each stamp that it issues is at or after the wall clock and
/// greater than all stamps that it issued or observed before. Therefore later events have greater stamps even if wall clocks disagree.
/// </summary>
/// <remarks>
/// Thread-safe and lock-free. The clock never waits: when the counter is used up within 4 ms, it borrows from the next 4 ms.
/// </remarks>
public sealed class HybridLogicalClock
{
    /// <summary>
    /// The maximum lead of a remote stamp over this machine's wall clock: 7 days. Wall clocks that were ahead for a while leave stamps
    /// behind that lead the corrected clocks. A cluster continues to work with such stamps, and a new node has to accept them.
    /// </summary>
    public static readonly TimeSpan MaxLead = TimeSpan.FromDays(7);

    /// <summary>
    /// The maximum lead of a remote stamp over this clock where this clock itself leads the wall clock: 4,100 s. Clocks that have exchanged
    /// stamps are never that far apart, because a clock that leads the wall clock advances only by the stamps that it issues, not by time.
    /// </summary>
    public static readonly TimeSpan MaxAdvance = TimeSpan.FromSeconds(4_100);

    readonly TimeProvider _time;
    ulong _last;
    ulong _accepted;                // stamps up to this one are accepted regardless of their lead

    /// <summary>Creates the clock of a node. All its stamps are greater than <paramref name="start"/>.</summary>
    public HybridLogicalClock(byte node, TimeProvider time, HlcTimestamp start = default)
    {
        Node = node;
        _time = time;
        _last = start.Packed;
    }

    /// <summary>Gets the id of the node whose stamps this clock issues.</summary>
    public byte Node { get; }

    /// <summary>Gets the greatest stamp that was issued or observed.</summary>
    public HlcTimestamp Last => new(Volatile.Read(ref _last));

    /// <summary>
    /// Gets the instant of the wall clock, as the first of its stamps. It says when documents expire: the stamps of a cluster lead the wall clocks, and then stand still, for
    /// as long as a wrong clock was ahead.
    /// </summary>
    public HlcTimestamp Wall => new(WallClock() << HlcTimestamp.NodeBits);

    /// <summary>Issues the next stamp.</summary>
    /// <exception cref="InvalidOperationException">The greatest possible stamp, in the year 2159, was observed.</exception>
    public HlcTimestamp Tick()
    {
        ulong wall = WallClock();
        while (true)
        {
            ulong last = Volatile.Read(ref _last);
            ulong next = (Math.Max(wall, AfterInstant(last)) << HlcTimestamp.NodeBits) | Node;
            if (next <= last)
                throw new InvalidOperationException(
                    $"Node {Node} cannot issue a stamp because it has observed {Last}, the last that exists. The node's store is damaged.");
            if (Interlocked.CompareExchange(ref _last, next, last) == last)
                return new HlcTimestamp(next);
        }
    }

    /// <summary>
    /// Returns true if a remote stamp can be observed. Such a stamp leads the wall clock by at most <see cref="MaxLead"/>, leads this clock
    /// by at most <see cref="MaxAdvance"/>, or is covered by <see cref="AcceptUpTo"/>.
    /// </summary>
    public bool Accepts(HlcTimestamp stamp) => stamp.Packed <= Volatile.Read(ref _accepted)
        || stamp.Time - Last.Time <= MaxAdvance || stamp.Time - _time.GetUtcNow() <= MaxLead;

    /// <summary>Observes a remote stamp: every stamp issued afterwards is greater than <paramref name="stamp"/>.</summary>
    /// <remarks>
    /// A write that follows from data with this stamp must win over that data, even if the wall clock of this machine is behind. The paper
    /// also issues a stamp for each receipt. That is not needed here, because only writes carry stamps, and the counter would wear out with
    /// the traffic. A stamp that leads by too much is refused rather than clipped: one wrong clock would otherwise carry away all others.
    /// </remarks>
    /// <exception cref="ClockDriftException">
    /// The stamp leads by too much; see <see cref="Accepts"/>. The clock does not change.
    /// </exception>
    public void Observe(HlcTimestamp stamp)
    {
        if (stamp.Packed <= Volatile.Read(ref _last))
            return;
        if (!Accepts(stamp))
            throw new ClockDriftException(stamp, Node, _time.GetUtcNow());
        AdvanceTo(stamp);
    }

    /// <summary>
    /// Accepts remote stamps up to an instant, regardless of their lead. An operator confirms with it that the cluster's stamps are
    /// intended to be that far ahead.
    /// </summary>
    public void AcceptUpTo(DateTimeOffset time) => Volatile.Write(ref _accepted, HlcTimestamp.AtEndOf(time).Packed);

    /// <summary>
    /// Makes every stamp issued afterwards greater than <paramref name="stamp"/>, regardless of its lead over the wall clock. Meant for
    /// trusted stamps, such as those on this node's own disk.
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

    /// <summary>Returns the wall clock as a stamp without its node bits: seconds, fraction and counter 0.</summary>
    ulong WallClock()
    {
        long elapsed = Math.Max((_time.GetUtcNow() - HlcTimestamp.Epoch).Ticks, 0);
        ulong fractions = (ulong)elapsed / (HlcTimestamp.FractionMilliseconds * TimeSpan.TicksPerMillisecond);
        (ulong seconds, ulong fraction) = Math.DivRem(fractions, HlcTimestamp.FractionsPerSecond);
        return ((seconds << 8) | fraction) << HlcTimestamp.CounterBits;
    }

    /// <summary>
    /// Returns the next seconds, fraction and counter after those of a packed stamp, without its node bits. Carries into the seconds at
    /// 250 fractions.
    /// </summary>
    static ulong AfterInstant(ulong packed)
    {
        ulong next = (packed >> HlcTimestamp.NodeBits) + 1;
        ulong fraction = (next >> HlcTimestamp.CounterBits) & 0xFF;
        const int SecondsShift = HlcTimestamp.CounterBits + 8;
        return fraction < HlcTimestamp.FractionsPerSecond ? next : ((next >> SecondsShift) + 1) << SecondsShift;
    }
}
