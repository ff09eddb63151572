using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The durable limit of the stamps that a store may have issued [R1]. No stamp above it is issued before it is raised, so a start above the
/// limit never repeats a stamp.
/// </summary>
/// <remarks>See PROTOCOL.md: limit.</remarks>
/// <param name="identity">The identity of the store, which contains the limit.</param>
sealed class StampLimit(ReplicaIdentity identity)
{
    /// <summary>
    /// The lead of the limit over the clock when it is raised, so that it is written at most once a second. It is short because a start
    /// that finds the limit ahead of the wall clock waits for the wall clock. Starting with stamps that lead the wall clock could repeat
    /// stamps of a life that was lost with a newer copy of the files.
    /// </summary>
    public static readonly TimeSpan Lease = TimeSpan.FromSeconds(1);

    HlcTimestamp _shown;            // the newest stamp that a repaired document shows, which may not be known here yet

    /// <summary>
    /// Returns the time that the start of a store must wait until the wall clock has passed the limit. A wall clock that is further behind
    /// than a lease was set back, and is not waited for: the run then begins above the limit.
    /// </summary>
    public static TimeSpan WaitFor(HlcTimestamp limit, TimeProvider time)
    {
        var behind = limit.IsNone ? TimeSpan.Zero : limit.Time - time.GetUtcNow();
        return behind > TimeSpan.Zero && behind <= Lease ? behind + TimeSpan.FromMilliseconds(4) : TimeSpan.Zero;
    }

    /// <summary>
    /// Returns the start of the clock: above every stamp that the store may have issued, knows, or has recorded as a run. Two copies of a
    /// store that start at the same limit, or have both waited for it, would begin the same run, and each would take the writes of the
    /// other for its own. To keep the lives of processes apart, the boot adds some steps of the counter.
    /// </summary>
    public HlcTimestamp StartOfClock(ReplicaState state, DateTimeOffset now, ulong boot)
    {
        const ulong MaxSteps = 4_096;
        var wallClock = new HlcTimestamp(HlcTimestamp.AtEndOf(now).Packed & ~0xFF_FFFFul);
        var start = HlcTimestamp.Max(HlcTimestamp.Max(identity.Limit, wallClock), HlcTimestamp.Max(state.Known.Top, state.Runs.Top));
        return new HlcTimestamp(start.Packed + ((boot % MaxSteps) << 8));
    }

    /// <summary>
    /// Makes the limit cover the stamps of a repaired document. The next life must supersede them, too, but may not find them in the known
    /// set.
    /// </summary>
    public void CoverShown(HlcTimestamp newest) => _shown = HlcTimestamp.Max(_shown, newest);

    /// <summary>Raises the limit if necessary, in the commit that stores a run and its last transaction.</summary>
    public void Cover(HlcTimestamp run, HlcTimestamp written)
    {
        var issued = HlcTimestamp.Max(HlcTimestamp.Max(written, run), _shown);
        if (issued <= identity.Limit)
            return;
        // A run alone takes no lease: a process that restarts again and again must not drive its clock ahead.
        identity.Limit = written < issued ? issued : new HlcTimestamp(issued.Packed + ((ulong)Lease.TotalSeconds << 32));
        identity.IsDirty = true;
    }

    /// <summary>Lowers the limit to the last stamp at an orderly stop, so that the next start need not wait.</summary>
    public void Release(HlcTimestamp last)
    {
        last = HlcTimestamp.Max(last, _shown);
        if (identity.Limit <= last)
            return;
        identity.Limit = last;
        identity.IsDirty = true;
    }
}
