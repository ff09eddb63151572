using Datacake.Crdt;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.EventualConsistency.Layout;
using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Sequencing;

// The conditions of a transaction [S4]. Entries that wait count as if they were applied.
partial class Sequencer
{
    /// <summary>Finds the first condition of a transaction that does not hold.</summary>
    async ValueTask<Verdict> CheckAsync(ReplicaBatch batch, SerialProposal proposal)
    {
        for (int i = 0; i < proposal.Conditions.Count; i++)
        {
            var (name, key, content) = proposal.Conditions[i];
            if (content != await ContentAsync(batch, name, key).ConfigureAwait(false))
                return new SerialRefusal(RefusalReason.Document, i);
        }
        var limit = new ReadLimit(_settings.MaxRecordsRead, _settings.MaxLengthRead);
        for (int i = 0; i < proposal.Ranges.Count; i++)
        {
            var verdict = await CheckAsync(batch, proposal.Ranges[i], i, limit).ConfigureAwait(false);
            if (verdict != Verdict.Holds)
                return verdict;
        }
        return Verdict.Holds;
    }

    async ValueTask<Verdict> CheckAsync(ReplicaBatch batch, SerialRange range, int number, ReadLimit limit)
    {
        var keyspace = _replica.Catalog.Find(range.Keyspace);
        if (keyspace is not null && keyspace.Policy != MergePolicy.Serial)
            return new SerialRefusal(RefusalReason.NotSerial, number);
        IndexEntrySet? index = null;
        if (range.Index is not null)
        {
            index = keyspace?.State.Indexes.FirstOrDefault(index => index.Definition.Name == range.Index && SerialRange.SignatureOf(index.Definition) == range.Signature);
            if (index is null)
                return new SerialRefusal(RefusalReason.UnknownIndex, number);
        }
        if (keyspace is not null && !CanRead(batch, keyspace, index))
            return Verdict.Busy;
        if (range.Count > limit.Rest)
            return new SerialRefusal(RefusalReason.TooMuch, number);
        var read = new RangeHash();
        await foreach (var (_, key, document) in new RangeReader(batch, WritesInRanges, limit).ReadAsync(range.Keyspace, keyspace, index, range.Range, range.Count).ConfigureAwait(false))
        {
            if (read.Count == range.Count)
                return new SerialRefusal(RefusalReason.Range, number);
            read.Add(key.Encoded.Span, ContentHash.Of(document));
        }
        if (limit.IsExceeded)
            return new SerialRefusal(RefusalReason.TooMuch, number);
        return read.Count == range.Count && read.Value == range.Hash ? Verdict.Holds : new SerialRefusal(RefusalReason.Range, number);
    }

    /// <summary>
    /// Returns true if a keyspace, and an index of it, can be read: nothing is being repaired, the index has all documents of the snapshot, and the batch does not
    /// rebuild it.
    /// </summary>
    static bool CanRead(ReplicaBatch batch, KeyspaceEntry keyspace, IndexEntrySet? index)
    {
        var state = keyspace.State;
        var after = batch.FindChange(keyspace)?.State ?? state;
        return !state.Record.MustCount && !after.Record.MustCount
            && (index is null || (IsBuilt(state) && after.Indexes.Any(kept => kept.Number == index.Number)));

        bool IsBuilt(KeyspaceState state) => state.IndexRecords.TryGetValue(index.Number, out var record) && record.Stage == IndexStage.Built;
    }

    async ValueTask<UInt128?> ContentAsync(ReplicaBatch batch, string name, DocumentKey key)
    {
        if (FindWaiting(name, key) is { } waiting)
            return waiting.Kind == DocumentOperationKind.Delete ? null : ContentHash.Of(waiting.Content);
        if (_replica.Catalog.Find(name) is not { } keyspace)
            return null;
        var document = await batch.PeekAsync(StoreLayout.DocumentKey(keyspace.Number, key.Encoded.Span)).ConfigureAwait(false);
        return document.IsAlive(keyspace.Policy) ? ContentHash.Of(document) : null;
    }
}

/// <summary>The result of checking a transaction.</summary>
/// <param name="Refusal">The reason to refuse the transaction, or null.</param>
/// <param name="IsBusy">True if nothing can be said yet.</param>
readonly record struct Verdict(SerialRefusal? Refusal, bool IsBusy)
{
    /// <summary>Gets the result that all conditions hold.</summary>
    public static Verdict Holds => default;

    /// <summary>Gets the result that nothing can be said yet.</summary>
    public static Verdict Busy => new(null, IsBusy: true);

    public static implicit operator Verdict(SerialRefusal refusal) => new(refusal, IsBusy: false);
}
