using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Including;
using Datacake.Data.Querying.Related;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

// Predicates and orderings that use related entities. These are loaded a batch at a time, from the snapshot, without tracking.
sealed partial class QueryRun<T>
{
    readonly RelatedNode _ofPredicates;
    readonly RelatedNode _ofOrderings;
    readonly Func<T, bool>[] _relatedPredicates;
    readonly IReadOnlyList<Ordering<T>> _orderings;

    /// <summary>True if the query uses related entities.</summary>
    public bool UsesRelated => _relatedPredicates.Length > 0 || _ofOrderings.IsUsed;

    IAsyncEnumerable<List<TRow>> FilterAsync<TRow>(StoreSnapshot snapshot, RowFactory<TRow> rowOf, CancellationToken cancellationToken) =>
        _relatedPredicates.Length > 0 ? FilterByRelatedAsync(snapshot, rowOf, cancellationToken) : FilterByEntityAsync(snapshot, new RowReading<TRow>(rowOf), IsInKeptOrder, ofIndex: null, _spec.Components, cancellationToken);

    async IAsyncEnumerable<List<TRow>> FilterByRelatedAsync<TRow>(
        StoreSnapshot snapshot, RowFactory<TRow> rowOf, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int skip = IsInKeptOrder ? _spec.Skip : 0, take = IsInKeptOrder ? _spec.Take ?? int.MaxValue : int.MaxValue;
        if (take == 0)
            yield break;
        var source = new RelatedSource(snapshot) { Filtering = _spec.Filtering };
        var candidates = FilterByEntityAsync<(T Entity, TRow Row)>(
            snapshot, new((document, entity, indexValue) => (entity, rowOf(document, entity, indexValue))), isCut: false, ofIndex: null, _spec.Components, cancellationToken);
        await foreach (var batch in candidates.ConfigureAwait(false))
        {
            await _ofPredicates.LoadRelatedAsync(source, [.. batch.Select(static candidate => candidate.Entity)], cancellationToken).ConfigureAwait(false);
            var matches = batch.Where(candidate => AreTrue(_relatedPredicates, candidate.Entity)).Select(static candidate => candidate.Row).ToList();
            List<TRow> rows = [.. matches.Skip(skip).Take(take)];
            skip -= Math.Min(skip, matches.Count);
            take -= rows.Count;
            if (rows.Count > 0)
                yield return rows;
            if (take == 0)
                yield break;
        }
    }

    async IAsyncEnumerable<List<QueryRow<T>>> SortByRelatedAsync(
        IAsyncEnumerable<List<QueryRow<T>>> rows, StoreSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var source = new RelatedSource(snapshot) { Filtering = _spec.Filtering };
        // Entities that compare equal come in the order of their keys, whatever the path. The keys to sort by are read from the related
        // entities batch by batch, and are computed before the next batch is loaded.
        var sorted = new SortedRows<T, QueryRow<T>>(_orderings, static row => row.Entity, Needed ?? int.MaxValue)
        {
            Tie = row => new SortKey<DocumentKey>(row.Key, Comparer<DocumentKey>.Default, _spec.IsReversed, null),
        };
        await foreach (var batch in rows.ConfigureAwait(false))
        {
            await _ofOrderings.LoadRelatedAsync(source, [.. batch.Select(static row => row.Entity)], cancellationToken).ConfigureAwait(false);
            foreach (var row in batch)
                sorted.Add(row);
        }
        if (sorted.Count > 0)
            yield return sorted.Take();
    }
}
