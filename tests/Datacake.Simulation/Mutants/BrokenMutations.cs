using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

sealed class ClaimFromZero() : Mutant("R5: the first transaction of a run also claims everything before it")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message is Mutations mutations
        ? new Mutations([.. mutations.Items
            .Select(item => item.Previous == source.Replica?.Run ? item with { Previous = new HlcTimestamp(source.Node) } : item)])
        : message;
}

sealed class ClaimFromRun() : Mutant("R5: every transaction claims everything since the start of its run")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) =>
        message is Mutations mutations && source.Replica is { } sender
        ? new Mutations([.. mutations.Items.Select(item => item with { Previous = HlcTimestamp.Min(item.Previous, sender.Run) })])
        : message;
}

sealed class NoBaseCheck() : Mutant("R7c: updates are applied to documents that do not exist")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message is Mutations mutations
        ? new Mutations([.. mutations.Items
            .Select(item => item with { Deltas = [.. item.Deltas.Select(delta => delta with { Base = default })] })])
        : message;
}

sealed class ApplyEverything() : Mutant("R7: every mutation is applied")
{
    public override async ValueTask<IReadOnlyList<StampInterval>> OnAppliedAsync(
        Machine target, ReplicaBatch batch, Machine source, ReplicaMessage message, IReadOnlyList<StampInterval> applied)
    {
        if (message is not Mutations mutations || !target.IsJoined)
            return applied;
        foreach (var mutation in mutations.Items.Where(item => !batch.Knows(item.Stamp)))
        {
            var keys = new List<ReadOnlyMemory<byte>>();
            foreach (var delta in mutation.Deltas)
            {
                keys.Add(StoreLayout.DocumentKey(target.Replica!.Catalog.Find(delta.Name.Keyspace)!.Number, delta.Name.Key.Span));
                await batch.MergeAsync(keys[^1], delta.Document);
            }
            batch.Claim(source.Node, mutation.Previous, mutation.Stamp);
            batch.AddLog(new LogTransaction(mutation.Stamp, [.. keys]));
        }
        return applied;
    }
}

sealed class AcknowledgeEverything() : Mutant("R7: declined mutations are acknowledged, too")
{
    public override ValueTask<IReadOnlyList<StampInterval>> OnAppliedAsync(
        Machine target, ReplicaBatch batch, Machine source, ReplicaMessage message, IReadOnlyList<StampInterval> applied) =>
            new(message is Mutations mutations
            ? [.. mutations.Items.Select(item => new StampInterval(item.Previous, item.Stamp))]
            : applied);
}
