using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.Simulation.Mutants;

sealed class JoinWithoutRoll() : Mutant("R12: a node joins without asking who remembers an earlier life of it")
{
    public override string Theme => "rebirths";

    public override void OnOpened(Machine machine, Hello hello) => machine.Replica!.Identity.MayHaveEarlierLife = false;
}

sealed class GoOnWithoutChanges() : Mutant("R16: a copy that broke off goes on with what comes after, whatever has changed before")
{
    public override IReadOnlyList<ReplicaMessage> OnAnswering(Machine source, IReadOnlyList<ReplicaMessage> parts) =>
        [.. parts.Select(part => part is SnapshotPage { Part: SnapshotPart.Changed } page ? page with { Documents = [] } : part)];
}

sealed class GoOnAnywhere() : Mutant("R16: a copy that broke off goes on at a member that lacks some of what has come")
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
