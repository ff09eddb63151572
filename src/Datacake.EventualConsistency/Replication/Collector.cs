using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// The garbage collector of a replica: truncates transactions that every member has, and purges what becomes purgeable by that [R11].
/// </summary>
/// <remarks>
/// A log record is needed for as long as some member may still pull its transaction. It is also the only way to find the documents in which
/// the transaction left a tombstone or a removed cell, without reading the whole store. Therefore the records of a step and everything that
/// becomes purgeable by their truncation are removed in one commit: after a crash in between, nothing would lead to the tombstones again.
/// See PROTOCOL.md: truncated.
/// </remarks>
/// <param name="maxStep">The maximum number of log records that are truncated in one batch.</param>
sealed class Collector(int maxStep)
{
    /// <summary>Truncates the log of stable transactions, in steps of bounded size, and purges what becomes purgeable by that.</summary>
    /// <param name="batch">The batch to change.</param>
    /// <param name="stable">
    /// The transactions to truncate. They must have been known before this batch: the snapshot lacks the log records that the batch adds,
    /// so those records would never be removed.
    /// </param>
    /// <param name="upTo">The greatest stamp to truncate.</param>
    /// <returns>True if there is more to do.</returns>
    public async ValueTask<bool> CollectAsync(ReplicaBatch batch, VersionVector stable, HlcTimestamp upTo)
    {
        var state = batch.State;
        stable = stable.Between(HlcTimestamp.None, upTo);
        if (state.Truncated.Covers(stable))
            return false;

        HashSet<StorageKey>? documents = null;
        var records = new List<HlcTimestamp>();
        var removed = new Dictionary<byte, StampInterval>();                    // the last record of each node
        var kept = VersionVector.Empty;
        var cut = upTo;
        await foreach (var (key, record) in batch.Snapshot.ReadAllAsync(StoreLayout.Log(HlcTimestamp.None, stable.Top)).ConfigureAwait(false))
        {
            var first = StoreLayout.StampOfLogKey(key.Span);
            var stamps = LogRecord.StampsOf(first, record.Span);
            var (isStable, isPartlyStable) = Compare(stamps, stable[first.Node]);
            if (!isStable)
            {
                // A record is removed as a whole, and a truncated transaction must not have a record; so the whole record is kept.
                if (isPartlyStable)
                    kept = kept.Union(first.Node, stamps.Low, stamps.High);
                continue;
            }
            if (LogRecord.SaysMayPurge(record.Span) || batch.MarksMayPurge(first))
            {
                documents ??= [];
                foreach (var documentKey in LogRecord.Decode(first, record).Transactions.SelectMany(transaction => transaction.DocumentKeys))
                    documents.Add(new StorageKey(documentKey));
            }
            records.Add(first);
            removed[first.Node] = stamps;
            if (records.Count == maxStep)
            {
                cut = first;
                break;
            }
        }

        var truncated = state.Truncated.Union(stable.Between(HlcTimestamp.None, cut).Except(kept));
        foreach (var (node, stamps) in removed)
            truncated = truncated.Union(node, stamps.Low, stamps.High);         // the last record may reach above the cut
        var purged = new List<(ReadOnlyMemory<byte> Key, Document Left)>();
        foreach (var key in documents ?? [])
        {
            if (await FindLeftAsync(batch, key.Bytes, truncated).ConfigureAwait(false) is { } left)
                purged.Add((key.Bytes, left));
        }
        // Everything is read by now. From here on, a damaged record can no longer stop the step halfway.
        batch.State = state with { Truncated = truncated };
        batch.TruncateAddedLog(truncated);
        foreach (var first in records)
            batch.RemoveLog(first);
        foreach (var (key, left) in purged)
        {
            var document = await batch.ReadAsync(key).ConfigureAwait(false);
            batch.Write(key, left);
            batch.State = batch.State with { Purged = HlcTimestamp.Max(batch.State.Purged, DocumentPurge.MarkOf(document)) };
        }
        return records.Count == maxStep;
    }

    /// <summary>
    /// Returns two values: true if all stamps of a record are in the intervals of its node, and true if some of them may be.
    /// </summary>
    static (bool All, bool Some) Compare(StampInterval record, ReadOnlySpan<StampInterval> stamps)
    {
        foreach (var interval in stamps)
        {
            if (interval.Low < record.High && record.Low < interval.High)
                return (interval.Low <= record.Low && record.High <= interval.High, true);
        }
        return (false, false);
    }

    /// <summary>
    /// Returns the document without its purgeable parts, and reads the document into the batch; or null if there is nothing to purge.
    /// </summary>
    static async ValueTask<Document?> FindLeftAsync(ReplicaBatch batch, ReadOnlyMemory<byte> key, VersionVector truncated)
    {
        var document = await batch.PeekAsync(key).ConfigureAwait(false);
        var policy = batch.PolicyOf(key);
        var left = DocumentPurge.Apply(document, truncated, policy);
        if (ReferenceEquals(left, document))
        {
            // The document can only be purged with the last of its stamps, which may be the stamp of a transaction that merely put
            // documents.
            if (!document.IsAlive(policy) && DocumentPurge.OneNotIn(truncated, document) is { IsNone: false } stamp)
                await batch.SetMayPurgeAsync(stamp).ConfigureAwait(false);
            return null;
        }
        await batch.ReadAsync(key).ConfigureAwait(false);
        return left;
    }
}
