using Datacake.Crdt;
using Datacake.EventualConsistency.Layout;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Replication;

// Forgetting what every member has [R11].
sealed partial class Replica
{
    /// <summary>
    /// Truncates the log of what is stable and not above <paramref name="upTo"/>, and purges what becomes purgeable by it: some thousands of records
    /// at a time.
    /// </summary>
    /// <returns>Whether there is more to do.</returns>
    public async ValueTask<bool> CollectAsync(ReplicaBatch batch, HlcTimestamp upTo)
    {
        if (!IsJoined)
            return await PurgeSeedAsync(batch).ConfigureAwait(false);
        var state = batch.State;
        // Of what was known before this batch: the log records that it adds are not in its snapshot, and would stay for ever.
        var stable = Stable(_state).Between(HlcTimestamp.None, upTo);
        if (state.Truncated.Covers(stable))
            return IsClearing;

        HashSet<StorageKey>? documents = null;
        var removed = new Dictionary<byte, StampInterval>();                    // the last record of each node
        var kept = VersionVector.Empty;
        int count = 0;
        var cut = upTo;
        await foreach (var (key, record) in batch.Snapshot.ReadAllAsync(StoreLayout.Log(HlcTimestamp.None, stable.Top)).ConfigureAwait(false))
        {
            var first = StoreLayout.StampOfLogKey(key.Span);
            var stamps = LogRecord.StampsOf(first, record.Span);
            var (isStable, isPartlyStable) = Compare(stamps, stable[first.Node]);
            if (!isStable)
            {
                // Records go as a whole, and what is truncated has no record.
                if (isPartlyStable)
                    kept = kept.Union(first.Node, stamps.Low, stamps.High);
                continue;
            }
            if (LogRecord.SaysMayPurge(record.Span))
            {
                documents ??= [];
                foreach (var documentKey in LogRecord.Decode(first, record).Transactions.SelectMany(transaction => transaction.DocumentKeys))
                    documents.Add(new StorageKey(documentKey));
            }
            batch.RemoveLog(first);
            removed[first.Node] = stamps;
            if (++count == _settings.MaxStep)
            {
                cut = first;
                break;
            }
        }

        var truncated = state.Truncated.Union(stable.Between(HlcTimestamp.None, cut).Except(kept));
        foreach (var (node, stamps) in removed)
            truncated = truncated.Union(node, stamps.Low, stamps.High);         // it may reach above the cut
        batch.State = state with { Truncated = truncated };
        batch.TruncateAddedLog(truncated);
        foreach (var key in documents ?? [])
            await CollectDocumentAsync(batch, key.Bytes, truncated).ConfigureAwait(false);
        return count == _settings.MaxStep || IsClearing;
    }

    /// <summary>Whether all stamps of a record are among those of its node, and whether some may be.</summary>
    static (bool All, bool Some) Compare(StampInterval record, ReadOnlySpan<StampInterval> stamps)
    {
        foreach (var interval in stamps)
        {
            if (interval.Low < record.High && record.Low < interval.High)
                return (interval.Low <= record.Low && record.High <= interval.High, true);
        }
        return (false, false);
    }

    async ValueTask CollectDocumentAsync(ReplicaBatch batch, ReadOnlyMemory<byte> key, VersionVector truncated)
    {
        var document = await batch.PeekAsync(key).ConfigureAwait(false);
        var policy = Catalog[StoreLayout.KeyspaceOf(key.Span)].Policy;
        var left = Purge(document, truncated, policy);
        if (ReferenceEquals(left, document))
        {
            // It can go with the last of its stamps, which may be that of a mere put.
            if (!document.IsAlive(policy) && OneNotIn(truncated, document) is { IsNone: false } stamp)
                await batch.SetMayPurgeAsync(stamp).ConfigureAwait(false);
            return;
        }
        await batch.ReadAsync(key).ConfigureAwait(false);
        batch.Write(key, left);
        batch.State = batch.State with { Purged = HlcTimestamp.Max(batch.State.Purged, NewestOf(document)) };
    }

    /// <summary>
    /// What is left of a document: nothing, if it is dead and all its stamps are truncated; else it without removed cells, and shares of older puts'
    /// counters, that are. Cells of a dead document stay, for an update that comes late revives all of it.
    /// </summary>
    static Document Purge(Document document, VersionVector truncated, MergePolicy policy)
    {
        if (ReferenceEquals(document, Document.Nothing))
            return document;
        if (!document.IsAlive(policy))
            return document.IsWithin(truncated) ? Document.Nothing : document;
        foreach (var cell in document.Cells)
        {
            if (IsPurgeable(cell, document.Born, truncated))
                return WithoutPurgeable(document, truncated);
        }
        return document;
    }

    static Document WithoutPurgeable(Document document, VersionVector truncated) =>
        document.Filter(cell => !IsPurgeable(cell, document.Born, truncated));

    static bool IsPurgeable(DocumentCell cell, HlcTimestamp born, VersionVector truncated) => !cell.IsShown(born) && truncated.Contains(cell.Stamp);

    static HlcTimestamp NewestOf(Document document)
    {
        var newest = document.Newest;
        foreach (var cell in document.Cells)
            newest = HlcTimestamp.Max(newest, cell.Stamp);
        return newest;
    }

    /// <summary>A stamp of the document that is not truncated, or none if all are.</summary>
    static HlcTimestamp OneNotIn(VersionVector truncated, Document document)
    {
        foreach (var stamp in (ReadOnlySpan<HlcTimestamp>)[document.Born, document.Touched, document.Died])
        {
            if (!stamp.IsNone && !truncated.Contains(stamp))
                return stamp;
        }
        foreach (var cell in document.Cells)
        {
            if (!truncated.Contains(cell.Stamp))
                return cell.Stamp;
        }
        return HlcTimestamp.None;
    }
}
