using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The checks of a peer's claims before anything of a message is used [R19]. A peer may be faulty, or lie. A claim that no correct replica
/// can make ends the session.
/// </summary>
/// <remarks>
/// All stamps that a replica knows or has heard of are at or below its clock, because it observes the clock of every peer that tells it of
/// stamps. A claim above the clock that is sent with it is therefore false. The clock itself is followed only within the limits of R1. See
/// PROTOCOL.md: plausibility.
/// </remarks>
/// <param name="clock">The clock of the replica.</param>
sealed class Plausibility(HybridLogicalClock clock)
{
    /// <summary>Checks a hello.</summary>
    /// <exception cref="InvalidDataException">No correct replica can have sent the hello.</exception>
    public static void Check(Hello hello)
    {
        CheckRun(hello.Node, hello.Node, hello.Run, hello.Clock);
        foreach (var run in hello.OwnRuns)
            CheckRun(hello.Node, hello.Node, run, hello.Clock);
        CheckKnown(hello.Node, hello.Node, hello.Known, hello.Clock);
        if (hello.Runs.Top > hello.Clock)
            throw Beyond(hello.Node, $"the run {hello.Runs.Top}", hello.Clock);
    }

    /// <summary>Checks a report.</summary>
    /// <exception cref="InvalidDataException">No correct replica can have sent the report.</exception>
    /// <exception cref="ClockDriftException">The clock of the peer is too far ahead.</exception>
    public void Check(byte peer, Report report)
    {
        clock.Observe(report.Clock);
        foreach (var (member, (run, known)) in report.Peers)
        {
            CheckRun(peer, member, run, report.Clock);
            CheckKnown(peer, member, known, report.Clock);
        }
    }

    /// <summary>Checks a part of the answer to a pull.</summary>
    /// <exception cref="InvalidDataException">No correct replica can have sent the part.</exception>
    /// <exception cref="ClockDriftException">The known set of the peer is too far ahead.</exception>
    public void Check(byte peer, Chunk chunk)
    {
        CheckContent(peer, chunk);
        clock.Observe(HlcTimestamp.Max(chunk.Source.Top, chunk.Runs.Top));
    }

    /// <summary>Checks a page of a snapshot.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="page">The page.</param>
    /// <param name="known">
    /// This replica's known set at the time of the request, if it has joined and did not request a full snapshot; the peer must then answer
    /// with a difference if it can. Otherwise null.
    /// </param>
    /// <exception cref="InvalidDataException">No correct replica can have sent the page.</exception>
    /// <exception cref="ClockDriftException">The known set of the peer is too far ahead.</exception>
    public void Check(byte peer, SnapshotPage page, VersionVector? known)
    {
        CheckContent(peer, page);
        if (known is not null && known.Covers(page.State.Truncated))
            throw new InvalidDataException($"Node {peer} sent a full snapshot, but was asked for a difference.");
        clock.Observe(HlcTimestamp.Max(page.State.Known.Top, page.State.Runs.Top));
    }

    /// <summary>Checks a part of the answer to a pull, apart from its stamps: a follower issues none, so no clock of its own is led astray by them.</summary>
    /// <exception cref="InvalidDataException">No correct replica can have sent the part.</exception>
    public static void CheckContent(byte peer, Chunk chunk)
    {
        CheckContent(peer, chunk.Source, chunk.Records, chunk.Documents);
        if (!chunk.Source.Covers(chunk.Claims))
            throw new InvalidDataException($"Node {peer} sent claims outside its own known set.");
    }

    /// <summary>Checks a page of a snapshot, apart from its stamps.</summary>
    /// <exception cref="InvalidDataException">No correct replica can have sent the page.</exception>
    public static void CheckContent(byte peer, SnapshotPage page)
    {
        CheckContent(peer, page.State.Known, page.Records, page.Documents);
        if (!page.State.Known.Covers(page.State.Truncated) || page.State.Purged > page.State.Known.Top)
            throw new InvalidDataException($"Node {peer} sent a snapshot whose truncated or purged stamps are outside its known set.");
    }

    static void CheckContent(byte peer, VersionVector known, IReadOnlyList<TransactionNames> records, IReadOnlyList<NamedDocument> documents)
    {
        foreach (var (stamp, _) in records)
        {
            if (!known.Contains(stamp))
                throw new InvalidDataException($"Node {peer} sent a log record of {stamp}, which is outside its known set.");
        }
        foreach (var (name, document) in documents)
        {
            if (!document.IsWithin(known))
                throw new InvalidDataException($"Node {peer} sent a document of '{name.Keyspace}' with stamps outside its known set.");
            Assertion.Find(document);                                           // refuses a note that cannot be read
        }
    }

    static void CheckRun(byte peer, byte member, HlcTimestamp run, HlcTimestamp claimed)
    {
        if (!run.IsNone && run.Node != member)
            throw new InvalidDataException($"Node {peer} reported the run {run} for node {member}, but it is a run of node {run.Node}.");
        if (run > claimed)
            throw Beyond(peer, $"the run {run} of node {member}", claimed);
    }

    static void CheckKnown(byte peer, byte member, VersionVector known, HlcTimestamp claimed)
    {
        if (known.Top > claimed)
            throw Beyond(peer, $"the stamp {known.Top} as known to node {member}", claimed);
    }

    static InvalidDataException Beyond(byte peer, string what, HlcTimestamp claimed) =>
        new($"Node {peer} reported {what}, but its own clock is only at {claimed}.");
}
