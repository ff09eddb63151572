using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Planning;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Snapshots;

namespace Datacake.Data.Querying;

// Results whose order the path does not provide, or only in part.
sealed partial class QueryRun<T>
{
    /// <summary>The number of results that an index leaves out at the start.</summary>
    sealed class IndexSkip
    {
        /// <summary>Gets the number of results that may be left out.</summary>
        public int Max { get; init; }

        /// <summary>Gets or sets the number of results that were left out. It is final once there is a result.</summary>
        public int Done { get; set; }
    }

    /// <summary>Returns the results in their order, which is not that of the path.</summary>
    IAsyncEnumerable<List<QueryRow<T>>> SortAsync(StoreSnapshot snapshot, CancellationToken cancellationToken) =>
        Needed is { } needed && !UsesRelated && !_spec.SkipsUnreadable && Path is not IndexScan { IsInOrder: true }
            ? TopAsync(snapshot, needed, cancellationToken)
            : SortAllAsync(snapshot, cancellationToken);

    /// <summary>
    /// Returns the first results in their order. Of the other entities, only the properties are read by which the query selects and orders, and nothing is kept.
    /// </summary>
    async IAsyncEnumerable<List<QueryRow<T>>> TopAsync(StoreSnapshot snapshot, int needed, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (_spec.Take == 0)
            yield break;
        var top = new SortedRows<T, QueryRow<T>>(_spec.Orderings, static row => row.Entity, needed) { IsReversed = _spec.IsReversed };
        var components = ComponentAnalysis.Of(_model, _predicates.Concat(_spec.OrderingKeys));
        var rows = new RowReading<bool>((document, entity, indexValue) =>
        {
            if (!top.Wants(entity, out var place))
                return false;
            top.Add(RowOf(document, components is null ? entity : _model.Read(document.EncodedKey, document.Document, _spec.Components), indexValue), place);
            return true;
        });
        // The keys of all entities are computed, because an expression that throws must throw whatever the order of the rows. Stored values do not.
        var keys = _spec.Orderings.Select(ordering => ordering.StoredIn(_model)).ToList();
        if (keys is [{ } first, ..] && !keys.Contains(null))
            rows = rows with { IsLeftOut = document => top.LastKept is { } last && first.IsAfter(document.Unvalidated, last) };
        var candidates = FilterByEntityAsync(snapshot, rows, isCut: false, ofIndex: null, components, cancellationToken);
        await foreach (var _ in candidates.ConfigureAwait(false))
        {
            // The callback has added what is kept.
        }
        var kept = top.Take();
        if (kept.Count > _spec.Skip)
            yield return _spec.Skip == 0 ? kept : kept[_spec.Skip..];
    }

    async IAsyncEnumerable<List<QueryRow<T>>> SortAllAsync(StoreSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var ofIndex = new IndexSkip { Max = Path is IndexScan { TieOrder: not null } ? await SkipByIndexAsync(snapshot, cancellationToken).ConfigureAwait(false) : 0 };
        var rows = ofIndex.Max > 0 ? FilterByEntityAsync(snapshot, new RowReading<QueryRow<T>>(RowOf), isCut: false, ofIndex, _spec.Components, cancellationToken) : FilterAsync(snapshot, RowOf, cancellationToken);
        rows = _ofOrderings.IsUsed ? SortByRelatedAsync(rows, snapshot, cancellationToken)
            : Path is IndexScan { IsInOrder: true } index ? SortWithinAsync(rows, index)
            : SortAsync(rows);
        int skip = _spec.Skip, take = _spec.Take ?? int.MaxValue;
        bool isFirst = true;
        await foreach (var batch in rows.ConfigureAwait(false))
        {
            if (isFirst)
                skip -= ofIndex.Done;
            isFirst = false;
            if (skip >= batch.Count)
            {
                skip -= batch.Count;
                continue;
            }
            List<QueryRow<T>> part = skip == 0 && take >= batch.Count ? batch : [.. batch.Skip(skip).Take(take)];
            skip = 0;
            take -= part.Count;
            yield return part;
            if (take == 0)
                yield break;
        }
    }

    async IAsyncEnumerable<List<QueryRow<T>>> SortAsync(IAsyncEnumerable<List<QueryRow<T>>> rows)
    {
        var sorted = new SortedRows<T, QueryRow<T>>(_spec.Orderings, static row => row.Entity, Needed) { IsReversed = _spec.IsReversed };
        await foreach (var batch in rows.ConfigureAwait(false))
        {
            foreach (var row in batch)
                sorted.Add(row);
        }
        if (sorted.Take() is { Count: > 0 } kept)
            yield return kept;
    }

    /// <summary>
    /// Sorts rows that compare equal by the first keys: by the other keys, and finally by the keys of the entities, which a reverse scan
    /// returns in descending order. Values that are equal once the index has cut them off count as equal.
    /// </summary>
    async IAsyncEnumerable<List<QueryRow<T>>> SortWithinAsync(IAsyncEnumerable<List<QueryRow<T>>> rows, IndexScan scan)
    {
        var group = new SortedRows<T, QueryRow<T>>(_spec.Orderings, static row => row.Entity, Needed)
        {
            Tie = row => new SortKey<DocumentKey>(row.Key, Comparer<DocumentKey>.Default, _spec.IsReversed, null),
        };
        var last = default(QueryRow<T>);
        await foreach (var batch in rows.ConfigureAwait(false))
        {
            var ready = new List<QueryRow<T>>();
            foreach (var row in batch)
            {
                if (group.Count > 0 && !AreInGroup(last, row))
                    ready.AddRange(group.Take());
                if (group.Count == 0 && IsPlaced(row))
                    ready.Add(row);
                else
                    group.Add(row);
                last = row;
            }
            if (ready.Count > 0)
                yield return ready;
        }
        if (group.Count > 0)
            yield return group.Take();

        // The index has the order of all rows, except of those whose values it has cut off.
        bool IsPlaced(QueryRow<T> row) => scan.TieOrder is not null && row.IndexValue.Length < DocumentIndex.MaxValueLength;

        bool AreInGroup(QueryRow<T> a, QueryRow<T> b) => a.IndexValue.Span.SequenceEqual(b.IndexValue.Span)
            || (scan.TieOrder is null && _spec.Orderings.Take(scan.OrderedColumns).All(ordering => ordering.AreEqual(a.Entity, b.Entity)));
    }
}
