using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;
using Datacake.Storage;

namespace Datacake.Simulation.Mutants;

sealed class SnapshotsAreTakenUnasked() : Mutant("R19: a joined store accepts a snapshot that it has not requested")
{
    public override string Theme => "a liar";

    public override ValueTask<IReadOnlyList<StampInterval>> OnAppliedAsync(
        Machine target, ReplicaBatch batch, Machine source, ReplicaMessage message, IReadOnlyList<StampInterval> applied)
    {
        if (message is SnapshotPage { IsLast: true, Documents: [] } && target.IsJoined)
        {
            var removal = new WriteBatch();
            foreach (var (key, _) in target.Disk.Range(StoreLayout.AllDocuments))
                removal.Delete(key);
            Machine.Now(target.Disk.CommitAsync(removal, Durability.Flushed));
        }
        return new(applied);
    }
}

sealed class HearsayRaisesRuns() : Mutant("R19: other members' reports of a member's run override its own")
{
    readonly Dictionary<(Machine Target, byte Node), HlcTimestamp> _heard = [];

    public override string Theme => "a liar";

    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message)
    {
        if (message is Report report)
        {
            foreach (var (node, known) in report.Peers)
                _heard[(target, node)] = HlcTimestamp.Max(_heard.GetValueOrDefault((target, node)), known.Run);
            bool isOutweighed = report.Peers.TryGetValue(source.Node, out var own) && own.Run < _heard[(target, source.Node)];
            return isOutweighed ? report with { Peers = new Dictionary<byte, PeerKnowledge>(report.Peers) { [source.Node] = own with { Known = VersionVector.Empty } } } : report;
        }
        return message is Hello hello && hello.Run < _heard.GetValueOrDefault((target, source.Node)) ? hello with { Known = VersionVector.Empty } : message;
    }
}

sealed class RemovalsAreNotHeldBack() : Mutant("R19: a reconcile removes everything that one member does not have")
{
    public override string Theme => "a liar";

    public override async ValueTask AroundAsync(Machine machine, ReplicaBatch batch, bool isCollecting, Func<ValueTask> work)
    {
        if (machine.Replica!.HeldRemoval is not null)
            machine.Replica.AllowRemoval();
        await work();
    }
}

sealed class FreshWithoutIdentity() : Mutant("R18: a store that has lost its identity record starts as a fresh one")
{
    public override void OnStarting(Machine machine)
    {
        if (machine.Disk.Get(StoreLayout.IdentityKey.Span) is null)
            machine.Disk.PutBack([], machine.Held);
    }
}

sealed class AnyProofRetires() : Mutant("R19: a retirement is accepted with any proof")
{
    public override string Theme => "a liar";

    public override MachineFlaws Flaws => new() { Authority = new Gullible() };

    sealed class Gullible : IRetirementAuthority
    {
        public bool Proves(ulong cluster, ulong storeId, ReadOnlyMemory<byte> proof) => true;
    }
}
