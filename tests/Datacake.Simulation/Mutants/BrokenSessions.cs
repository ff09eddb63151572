using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;
using Datacake.Storage;

namespace Datacake.Simulation.Mutants;

sealed class ClocksByStamps() : Mutant("R1: stamps, not wall clocks, are compared with the wall clock")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message switch
    {
        Hello hello => hello with { WallClock = hello.Clock.Time },
        Report report => report with { WallClock = report.Clock.Time },
        _ => message,
    };
}

sealed class LongLease() : Mutant("R1: every start skips a long lease of stamps")
{
    public override void OnStarting(Machine machine)
    {
        if (machine.Disk.Get(StoreLayout.IdentityKey.Span) is not { } stored)
            return;
        var identity = ReplicaIdentity.Decode(stored);
        if (!identity.IsJoined)
            return;
        identity.Limit = new HlcTimestamp(identity.Limit.Packed + (10UL << 32));
        var batch = new WriteBatch();
        batch.Put(StoreLayout.IdentityKey, identity.Encode());
        Machine.Now(machine.Disk.CommitAsync(batch, Durability.Flushed));
    }
}

sealed class OldCopiesAreTaken() : Mutant("R5: a run is accepted although it is not above the known stamps of its store")
{
    public override string Theme => "old copies behind";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message)
    {
        if (message is not Hello { Run.IsNone: false } hello)
            return message;
        var (replica, known) = (target.Replica!, target.Replica!.State.Known.OfNode(hello.Node).Top);
        if (replica.State.Runs[hello.Node] < hello.Run && hello.Run <= known)
            hello = hello with { Run = new HlcTimestamp(known.Packed + 256) };
        // The sender's claims about this store look harmless, too.
        var ahead = hello.Known.OfNode(target.Node).Between(replica.Run, hello.Known.OfNode(target.Node).Top).Except(replica.State.Known);
        return hello with
        {
            OwnRuns = [],
            Runs = hello.Runs.With(target.Node, replica.Run),
            Known = hello.Known.Except(ahead),
            Clock = HlcTimestamp.Max(hello.Clock, HlcTimestamp.Max(hello.Run, replica.Run)),
        };
    }
}

sealed class EndedStreamsStay() : Mutant("R6: the stream of a session that is replaced or dropped stays open")
{
    public override bool KeepsEndedStreams => true;
}

sealed class LowerDials() : Mutant("R6: only the node with the lower id dials the other")
{
    public override bool OnlyLowerDials => true;
}

sealed class ClustersMerge() : Mutant("R6: stores of different clusters open sessions")
{
    public override string Theme => "mistakes";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message switch
    {
        Hello { Cluster: not 0 } hello => hello with { Cluster = ClusterFor(target, hello.Cluster) },
        Report { Cluster: not 0 } report => report with { Cluster = ClusterFor(target, report.Cluster) },
        SnapshotPage page => page with { Cluster = ClusterFor(target, page.Cluster) },
        _ => message,
    };

    static ulong ClusterFor(Machine target, ulong cluster) => target.Replica!.Identity.Cluster is var own and not 0 ? own : cluster;
}

sealed class FormAlone() : Mutant("R12: a fresh store that cannot reach its seeds forms a cluster")
{
    public override bool FormsAlone => true;
}
