using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

sealed class JoinWithoutRoll() : Mutant("R12: a node joins without asking which members remember an earlier life of it")
{
    public override string Theme => "rebirths";

    public override void OnOpened(Machine machine, Hello hello) => machine.Replica!.Identity.MayHaveEarlierLife = false;
}

sealed class GoOnWithoutChanges() : Mutant("R16: an interrupted copy continues at its end although the part already copied has changed")
{
    public override IReadOnlyList<ReplicaMessage> OnAnswering(Machine source, IReadOnlyList<ReplicaMessage> parts) =>
        [.. parts.Select(part => part is SnapshotPage { Part: SnapshotPart.Changed } page ? page with { Documents = [] } : part)];
}

sealed class GoOnAnywhere() : Mutant("R16: an interrupted copy continues from a member that lacks some of the data already copied")
{
    public override string Theme => "cut joins";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message switch
    {
        PullRequest { Resume: { } resume } request =>
            request with { Resume = resume with { Known = resume.Known.Intersect(target.Replica!.State.Known) } },
        SnapshotPage { Part: not SnapshotPart.Whole } page when target.Disk.Get(StoreLayout.SeedKey.Span) is { } seed =>
            page with { State = page.State with { Known = page.State.Known.Union(Seed.Decode(seed).Cut.Known) } },
        _ => message,
    };
}
