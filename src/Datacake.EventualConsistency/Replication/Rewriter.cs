using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The part of a replica that writes again, in transactions of its own, the writes that assertions of other replicas have replaced without
/// knowing them [R13].
/// </summary>
/// <remarks>See PROTOCOL.md: rewrite.</remarks>
/// <param name="run">The run of the store.</param>
/// <param name="maxAsserted">The maximum number of documents in a transaction.</param>
sealed class Rewriter(OwnRun run, int maxAsserted)
{
    /// <summary>Writes again what is superseded in the documents that the batch has recorded as replaced.</summary>
    public async ValueTask WriteAgainAsync(ReplicaBatch batch)
    {
        var replaced = batch.TakeReplaced();
        if (run.Exclusion is not null)
            return;
        foreach (var part in replaced.Chunk(maxAsserted))
            await WriteAgainAsync(batch, part).ConfigureAwait(false);
    }

    async ValueTask WriteAgainAsync(ReplicaBatch batch, ReplacedDocument[] replaced)
    {
        var stamp = HlcTimestamp.None;
        var deltas = new List<DocumentDelta>();
        var keys = new List<ReadOnlyMemory<byte>>();
        foreach (var (key, mine, asserted, known) in replaced)
        {
            var current = await batch.ReadAsync(key).ConfigureAwait(false);
            if (current.Born != asserted.Born)
                continue;
            if (stamp.IsNone)
                stamp = run.Tick();
            if (Assertion.WriteAgain(mine, asserted, (run.Node, run.Stamp), stamp, known, batch.PolicyOf(key)) is not { } again)
                continue;
            batch.Write(key, Document.Merge(current, again));
            deltas.Add(new DocumentDelta(batch.NameOf(key), again.Born.IsNone ? current.Born : HlcTimestamp.None, again));
            keys.Add(key);
        }
        if (deltas.Count == 0)
            return;
        run.Publish(batch, stamp, [.. deltas], keys);
        batch.WrittenAgain.Add(stamp);
    }
}
