using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Replication.Messages;
using Datacake.Simulation.Machines;

namespace Datacake.Simulation.Mutants;

sealed class AscendingOrder() : Mutant("R9: records are sent in ascending order, with unchanged claims")
{
    public override IReadOnlyList<ReplicaMessage> OnAnswering(Machine source, IReadOnlyList<ReplicaMessage> parts)
    {
        var chunks = parts.OfType<Chunk>().ToArray();
        if (chunks.Length < 2)
            return parts;
        // All records and documents are sent oldest first; each chunk claims everything above its lowest stamp.
        var ascending = chunks[..^1].Reverse().Append(chunks[^1]);
        return [.. ascending.Select((chunk, number) => chunk with { Number = number })];
    }
}

sealed class ClaimAtStart() : Mutant("R9: the first chunk claims the whole difference")
{
    public override IReadOnlyList<ReplicaMessage> OnAnswering(Machine source, IReadOnlyList<ReplicaMessage> parts) =>
        [.. parts.Select(part => part is Chunk chunk && parts[^1] is Chunk last ? chunk with { Claims = last.Claims } : part)];
}

sealed class ClaimTooLow() : Mutant("R9: a chunk claims transactions that only the next chunk brings")
{
    public override IReadOnlyList<ReplicaMessage> OnAnswering(Machine source, IReadOnlyList<ReplicaMessage> parts) =>
        [.. parts.Select((part, i) => part is Chunk chunk && parts[Math.Min(i + 1, parts.Count - 1)] is Chunk next
            ? chunk with { Claims = next.Claims } : part)];
}

sealed class NoRecordsFromPull() : Mutant("R9: log records in a pull are ignored")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) =>
        message is Chunk chunk ? chunk with { Records = [] } : message;
}

sealed class NoCleanCut() : Mutant("R9: a chunk is applied at once, even without a clean cut")
{
    public override async ValueTask<IReadOnlyList<StampInterval>> OnAppliedAsync(
        Machine target, ReplicaBatch batch, Machine source, ReplicaMessage message, IReadOnlyList<StampInterval> applied)
    {
        if (message is Chunk chunk && target.Replica!.IsPulling)
        {
            foreach (var (name, document) in chunk.Documents)
                await batch.MergeAsync(StoreLayout.DocumentKey(target.Replica.Catalog.Find(name.Keyspace)!.Number, name.Key.Span),
                    document);
        }
        return applied;
    }
}

sealed class ServeTruncated() : Mutant("R8: a difference is sent although log records that the other needs are truncated")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) =>
        message is PullRequest { IsJoining: false } request
        ? request with { Known = request.Known.Union(target.Replica!.State.Truncated) }
        : message;
}

sealed class NoReverseGate() : Mutant("R8: a replica pulls from one that does not know the transactions that it has purged itself")
{
    public override ReplicaMessage OnReceiving(Machine target, Machine source, ReplicaMessage message) => message switch
    {
        PullRequest request => request with { Truncated = VersionVector.Empty },
        Chunk chunk => chunk with { Source = chunk.Source.Union(target.Replica!.State.Truncated) },
        _ => message,
    };
}
