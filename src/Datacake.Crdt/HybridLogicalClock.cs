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
    /// <summary>
    /// The limit of how far a remote stamp may lead this machine's wall clock: 7 days. Wall clocks that were wrong for a while leave stamps behind that
    /// lead them once they are right again; a cluster works on with those, and a fresh node has to accept them.
    /// </summary>
    public static readonly TimeSpan MaxLead = TimeSpan.FromDays(7);

    /// <summary>
    /// The limit of how far a remote stamp may lead this clock where this clock itself leads the wall clock: 4,100 s. Clocks that have exchanged stamps
    /// are never that far apart, since a clock that leads advances by the stamps that are drawn, and not with time.
    /// </summary>
    public static readonly TimeSpan MaxAdvance = TimeSpan.FromSeconds(4_100);

    readonly TimeProvider _time;
    ulong _last;
    ulong _accepted;                // stamps up to here are accepted however far they lead

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

    /// <summary>
    /// Returns true if a remote stamp can be observed: it leads the wall clock by at most <see cref="MaxLead"/> or this clock by at most
    /// <see cref="MaxAdvance"/>, or was accepted by <see cref="AcceptUpTo"/>.
    /// </summary>
    public bool Accepts(HlcTimestamp stamp) => stamp.Packed <= Volatile.Read(ref _accepted)
        || stamp.Time - Last.Time <= MaxAdvance || stamp.Time - _time.GetUtcNow() <= MaxLead;

    /// <summary>Makes every later stamp greater than <paramref name="stamp"/>.</summary>
    /// <exception cref="ClockDriftException">The stamp leads by too much, see <see cref="Accepts"/>; it is not observed.</exception>
    public void Observe(HlcTimestamp stamp)
    {
        if (stamp.Packed <= Volatile.Read(ref _last))
            return;
        if (!Accepts(stamp))
            throw new ClockDriftException(stamp, Node, _time.GetUtcNow());
        AdvanceTo(stamp);
    }

    /// <summary>
    /// Accepts remote stamps up to an instant, however far they lead this clock: an operator's word that the cluster's stamps are meant to be there.
    /// </summary>
    public void AcceptUpTo(DateTimeOffset time) => Volatile.Write(ref _accepted, HlcTimestamp.AtEndOf(time).Packed);

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
