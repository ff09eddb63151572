using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The checks of what a peer claims, before anything of it is used [R19]. A peer may be faulty, or lie: what no replica can say truthfully ends its session.
/// </summary>
/// <remarks>
/// All stamps that a replica knows or has heard of are at most its clock, for it observes the clock of whoever tells it. So a claim beyond the clock that comes
/// with it is false; and the clock itself is followed within the limits of R1 only.
/// </remarks>
/// <param name="clock">The clock of the replica.</param>
sealed class Plausibility(HybridLogicalClock clock)
{
    /// <summary>Checks a hello.</summary>
    /// <exception cref="InvalidDataException">No replica can have sent it.</exception>
    public static void Check(Hello hello)
    {
        CheckRun(hello.Node, hello.Node, hello.Run, hello.Clock);
        foreach (var run in hello.OwnRuns)
            CheckRun(hello.Node, hello.Node, run, hello.Clock);
        CheckKnown(hello.Node, hello.Node, hello.Known, hello.Clock);
        if (hello.Runs.Top > hello.Clock)
            throw Beyond(hello.Node, $"a run {hello.Runs.Top}", hello.Clock);
    }

    /// <summary>Checks a report.</summary>
    /// <exception cref="InvalidDataException">No replica can have sent it.</exception>
    /// <exception cref="ClockDriftException">Its clock is too far ahead.</exception>
    public void Check(byte peer, Report report)
    {
        clock.Observe(report.Clock);
        foreach (var (member, (run, known)) in report.Peers)
        {
            CheckRun(peer, member, run, report.Clock);
            CheckKnown(peer, member, known, report.Clock);
        }
    }

    /// <summary>Checks a part of an answer to a pull.</summary>
    /// <exception cref="InvalidDataException">The peer cannot have made it.</exception>
    /// <exception cref="ClockDriftException">What it knows is too far ahead.</exception>
    public void Check(byte peer, Chunk chunk)
    {
        CheckContent(peer, chunk.Source, chunk.Records, chunk.Documents);
        if (!chunk.Source.Covers(chunk.Claims))
            throw new InvalidDataException($"Node {peer} claims more than it knows.");
        clock.Observe(HlcTimestamp.Max(chunk.Source.Top, chunk.Runs.Top));
    }

    /// <summary>Checks a page of a snapshot.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="page">The page.</param>
    /// <param name="known">What this replica knew when it asked, if it has joined and did not ask for all: else a difference is what the answer has to be.</param>
    /// <exception cref="InvalidDataException">The peer cannot have made it.</exception>
    /// <exception cref="ClockDriftException">What it knows is too far ahead.</exception>
    public void Check(byte peer, SnapshotPage page, VersionVector? known)
    {
        CheckContent(peer, page.State.Known, page.Records, page.Documents);
        if (!page.State.Known.Covers(page.State.Truncated) || page.State.Purged > page.State.Known.Top)
            throw new InvalidDataException($"Node {peer} says that it has truncated or purged what it does not know.");
        if (known is not null && known.Covers(page.State.Truncated))
            throw new InvalidDataException($"Node {peer} sent a snapshot of all, and was asked for a difference.");
        clock.Observe(HlcTimestamp.Max(page.State.Known.Top, page.State.Runs.Top));
    }

    static void CheckContent(byte peer, VersionVector known, IReadOnlyList<TransactionNames> records, IReadOnlyList<NamedDocument> documents)
    {
        foreach (var (stamp, _) in records)
        {
            if (!known.Contains(stamp))
                throw new InvalidDataException($"Node {peer} sent a log record of {stamp}, which it says it does not know.");
        }
        foreach (var (name, document) in documents)
        {
            if (!document.IsWithin(known))
                throw new InvalidDataException($"Node {peer} sent a document of '{name.Keyspace}' with effects that it says it does not know.");
            Assertion.Find(document);                                           // a note that cannot be read is refused here
        }
    }

    static void CheckRun(byte peer, byte member, HlcTimestamp run, HlcTimestamp claimed)
    {
        if (!run.IsNone && run.Node != member)
            throw new InvalidDataException($"Node {peer} says that node {member} has the run {run}, which is one of node {run.Node}.");
        if (run > claimed)
            throw Beyond(peer, $"a run {run} of node {member}", claimed);
    }

    static void CheckKnown(byte peer, byte member, VersionVector known, HlcTimestamp claimed)
    {
        if (known.Top > claimed)
            throw Beyond(peer, $"{known.Top}, which node {member} is to know", claimed);
    }

    static InvalidDataException Beyond(byte peer, string what, HlcTimestamp claimed) =>
        new($"Node {peer} speaks of {what}, beyond its own clock, which is at {claimed}.");
}
