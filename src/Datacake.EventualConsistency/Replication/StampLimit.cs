using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The durable limit of the stamps that a store may have issued [R1]: no stamp above it is issued before it is raised, so that a start above it repeats none.
/// </summary>
/// <param name="identity">The identity of the store, which has the limit.</param>
sealed class StampLimit(ReplicaIdentity identity)
{
    /// <summary>
    /// How far ahead of the clock the limit is written: at most one write a second. It is short, because a start that finds the limit ahead of the wall clock
    /// waits for it, rather than begin with stamps that lead: those of a life that was lost with a newer copy of the files might be among them.
    /// </summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);

    HlcTimestamp _shown;            // the newest stamp that a mended document shows, which may not be known here yet

    /// <summary>
    /// Returns how long the start of a store has to wait until the wall clock has passed the limit. A wall clock that is further behind than a lease has been
    /// set back, and is not waited for: the run begins above the limit.
    /// </summary>
    public static TimeSpan WaitFor(HlcTimestamp limit, TimeProvider time)
    {
        var behind = limit.IsNone ? TimeSpan.Zero : limit.Time - time.GetUtcNow();
        return behind > TimeSpan.Zero && behind <= Lease ? behind + TimeSpan.FromMilliseconds(4) : TimeSpan.Zero;
    }

    /// <summary>
    /// Returns where the clock starts: above all that the store may have issued, knows, or has noted of runs. Two copies of one store that start at the same
    /// limit, or have both waited for it, would begin the same run, and each would take what the other writes for its own; a step of its own within the
    /// counter keeps the lives of a process apart.
    /// </summary>
    public HlcTimestamp StartOfClock(ReplicaState state, DateTimeOffset now, ulong boot)
    {
        const ulong MaxSteps = 4_096;
        var wallClock = new HlcTimestamp(HlcTimestamp.AtEndOf(now).Packed & ~0xFF_FFFFul);
        var start = HlcTimestamp.Max(HlcTimestamp.Max(identity.Limit, wallClock), HlcTimestamp.Max(state.Known.Top, state.Runs.Top));
        return new HlcTimestamp(start.Packed + ((boot % MaxSteps) << 8));
    }

    /// <summary>Has the limit cover what a mended document shows: the next life, too, must supersede it, and does not find it among what is known.</summary>
    public void CoverShown(HlcTimestamp newest) => _shown = HlcTimestamp.Max(_shown, newest);

    /// <summary>Raises the limit, if need be, in the commit that stores a run and what was written last in it.</summary>
    public void Cover(HlcTimestamp run, HlcTimestamp written)
    {
        var issued = HlcTimestamp.Max(HlcTimestamp.Max(written, run), _shown);
        if (issued <= identity.Limit)
            return;
        // A run as such takes no lease: a process that is restarted again and again must not drive its clock ahead.
        identity.Limit = written < issued ? issued : new HlcTimestamp(issued.Packed + ((ulong)Lease.TotalSeconds << 32));
        identity.IsDirty = true;
    }

    /// <summary>Writes the limit back to the last stamp, at an orderly stop: then the next start need not wait.</summary>
    public void Release(HlcTimestamp last)
    {
        last = HlcTimestamp.Max(last, _shown);
        if (identity.Limit <= last)
            return;
        identity.Limit = last;
        identity.IsDirty = true;
    }
}
