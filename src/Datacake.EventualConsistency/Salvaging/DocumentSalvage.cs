using Datacake.Crdt;
using Datacake.EventualConsistency.Escrow;
using Datacake.EventualConsistency.Replication;
using Datacake.EventualConsistency.Transactions;

namespace Datacake.EventualConsistency.Salvaging;

/// <summary>
/// The comparison of a document of a refused store with the document of this store. It determines the write of this store that recovers
/// what only the refused store has. Where both stores have written, the later stamp wins, as it would have if they had replicated.
/// </summary>
/// <param name="keyspace">The keyspace of the document.</param>
/// <param name="key">The key of the document.</param>
/// <param name="policy">The merge policy of the keyspace.</param>
/// <param name="state">The state of this store.</param>
readonly struct DocumentSalvage(string keyspace, DocumentKey key, MergePolicy policy, ReplicaState state)
{
    /// <summary>Returns the write, or null if nothing is missing; and true if the cluster may have deleted the document since.</summary>
    public (DocumentOperation? Write, bool MayBeDeleted) Compare(Document mine, Document theirs)
    {
        if (ReferenceEquals(mine, Document.Nothing))
            return theirs.IsAlive(policy) ? (Put(theirs), MayBePurged(theirs)) : default;
        var merged = Document.Merge(mine, theirs);
        if (!merged.IsAlive(policy))
            return (mine.IsAlive(policy) ? Of(DocumentOperationKind.Delete, DocumentContent.Empty, []) : null, false);
        return mine.IsAlive(policy) && merged.Born == mine.Born ? (Update(mine, merged), false) : (Put(merged), false);
    }

    /// <summary>
    /// Creates a put of what a document shows. The increments of other runs become increments of the current run, on the new put.
    /// </summary>
    DocumentOperation Put(Document document)
    {
        var content = new DocumentContentBuilder(document.Encoded.Length);
        var counters = new SortedDictionary<string, long>(StringComparer.Ordinal);
        ShownCells.AddTo(document, content, counters, withBounded: true);
        return Of(DocumentOperationKind.Put, content.Build(), [.. counters.Select(counter => IncrementOf(document, counter.Key, counter.Value))]) with { Expires = document.Expires };
    }

    static CounterIncrement IncrementOf(Document document, string property, long value) => BoundedCounter.Of(document, property) is { } bounded
        ? new CounterIncrement(property, value) { Minimum = bounded.Minimum, Maximum = bounded.Maximum }
        : new CounterIncrement(property, value);

    /// <summary>
    /// Creates an update of the cells that differ. A counter share keeps its run, so that nothing is counted twice, however often a store
    /// is salvaged.
    /// </summary>
    DocumentOperation? Update(Document mine, Document merged)
    {
        var content = new DocumentContentBuilder();
        foreach (var cell in merged.Cells)
        {
            bool isHere = mine.TryGetCell(cell.EncodedPath, out var own);
            if (cell.Kind == DocumentPathKind.Assertion || (isHere && own.Stamp == cell.Stamp) || (!isHere && (cell.IsRemoved || MayBePurged(cell.Stamp))))
                continue;
            if (cell.IsShown(merged.Born))
                content.Set(cell.EncodedPath, cell.Value);
            else if (cell.IsRemoved && isHere && own.IsShown(mine.Born))
                content.Remove(cell.EncodedPath);
        }
        return content.Count > 0 ? Of(DocumentOperationKind.Update, content.Build(), []) : null;
    }

    /// <summary>Returns true if everything that a document shows may have been here, and may have been deleted and purged.</summary>
    bool MayBePurged(Document document)
    {
        bool mayBe = MayBePurged(document.Born) && MayBePurged(document.Touched);
        foreach (var cell in document.Cells)
            mayBe &= !cell.IsShown(document.Born) || MayBePurged(cell.Stamp);
        return mayBe;
    }

    bool MayBePurged(HlcTimestamp stamp) => stamp.IsNone || (stamp <= state.Purged && state.Known.Contains(stamp));

    DocumentOperation Of(DocumentOperationKind kind, DocumentContent content, IReadOnlyList<CounterIncrement> counters) => new(kind, keyspace, key, content, counters);
}
