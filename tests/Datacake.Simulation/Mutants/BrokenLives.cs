using System.Collections.ObjectModel;
using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;
using Datacake.Storage;

namespace Datacake.Simulation.Mutants;

sealed class NoClockLease() : Mutant("R1: the clock starts at the greatest stored stamp")
{
    public override void OnStarting(Machine machine)
    {
        if (machine.Disk.Get(StoreLayout.IdentityKey.Span) is not { } stored)
            return;
        var identity = ReplicaIdentity.Decode(stored);
        identity.Limit = HlcTimestamp.None;
        var batch = new WriteBatch();
        batch.Put(StoreLayout.IdentityKey, identity.Encode());
        Machine.Now(machine.Disk.CommitAsync(batch, Durability.Flushed));
    }
}

sealed class LivesAreAlike() : Mutant("R5: two copies of a store that wait for the same limit begin the same run")
{
    public override string Theme => "old copies behind";

    public override MachineFlaws Flaws => new() { LivesBeginAlike = true };
}

sealed class NoFlush() : Mutant("R1, R6: identity and limit are not forced to disk")
{
    public override MachineFlaws Flaws => new() { NeverFlushes = true };
}

sealed class TornCommits() : Mutant("R4: the known set and the data change in different commits")
{
    public override MachineFlaws Flaws => new() { TearsCommits = true };
}

sealed class EmptyDisksTakeOver() : Mutant("R19: an empty disk replaces a known store without an operator's permission")
{
    public override string Theme => "mistakes";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) =>
        message is Hello hello ? hello with { TakesOver = true } : message;
}

sealed class RetirementsStayLocal() : Mutant("R6: other members are not told of retired stores")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message switch
    {
        Hello hello => hello with { Table = WithoutRetired(hello.Table) },
        Report report => report with { Table = WithoutRetired(report.Table) },
        _ => message,
    };

    static MemberTable WithoutRetired(MemberTable table) => table with { Retired = ReadOnlyDictionary<ulong, ReadOnlyMemory<byte>>.Empty };
}

sealed class DropAllAbsent() : Mutant("R13: data that only this side has are dropped, whether or not the other side knew of them")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) =>
        message is SnapshotPage page && target.IsJoined
        ? page with { State = page.State with { Known = page.State.Known.Union(target.Replica!.State.Known) } }
        : message;
}

sealed class NothingIsWrittenAgain() : Mutant("R13: authors do not repeat writes that an assertion has replaced")
{
    public override string Theme => "meetings";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message switch
    {
        Mutations mutations => new Mutations([.. mutations.Items.Select(item =>
            item with { Deltas = [.. item.Deltas.Select(delta => delta with { Document = WithoutNote(delta.Document) })] })]),
        Chunk chunk => chunk with { Documents = WithoutNotes(chunk.Documents) },
        SnapshotPage page => page with { Documents = WithoutNotes(page.Documents) },
        _ => message,
    };

    static NamedDocument[] WithoutNotes(IEnumerable<NamedDocument> documents) =>
        [.. documents.Select(document => document with { Document = WithoutNote(document.Document) })];

    static Document WithoutNote(Document document) => document.Filter(cell => cell.Kind != DocumentPathKind.Assertion);
}

sealed class NoAssertion() : Mutant("R13: data that the other side has purged are kept with their old stamps")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) =>
        message is SnapshotPage page && target.IsJoined ? page with { State = page.State with { Purged = HlcTimestamp.None } } : message;
}

sealed class ClaimBeforeReconcile() : Mutant("R13: the other side's known set is adopted before its documents")
{
    public override ValueTask<IReadOnlyList<StampInterval>> OnAppliedAsync(
        Machine target, ReplicaBatch batch, Machine source, ReplicaMessage message, IReadOnlyList<StampInterval> applied)
    {
        if (message is SnapshotPage page && target.IsJoined && target.Replica!.IsPulling)
            batch.Claim(page.State.Known);
        return new(applied);
    }
}

sealed class CloseGapAtOnce() : Mutant("R14: a restarted run declares its past complete at once")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        await work();
        if (machine.IsJoined && !isCollecting)
            batch.Claim(VersionVector.Of(machine.Node, HlcTimestamp.None, machine.Replica!.Run));
    }
}

sealed class CloseGapEarly() : Mutant("R14: the gap is closed before the lost transactions are restored")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message)
    {
        if (message is not Report { Nonce: > 0 } report || !report.Peers.TryGetValue(source.Node, out var own))
            return message;
        var peers = new Dictionary<byte, PeerKnowledge>(report.Peers)
        { [source.Node] = own with { Known = own.Known.Except(own.Known.OfNode(target.Node)) } };
        return report with { Peers = peers };
    }
}

sealed class CloseGapWithoutAbsent() : Mutant("R14: absent members are not asked")
{
    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        var replica = machine.Replica!;
        var members = replica.Identity.Members;
        var absent = members
            .Where(member => !isCollecting && replica.IsJoined && member.Key != machine.Node && !replica.Sessions.ContainsKey(member.Key))
            .ToArray();
        foreach (var (node, _) in absent)
            members.Remove(node);
        await work();
        foreach (var (node, member) in absent)
            members.TryAdd(node, member);
    }
}
