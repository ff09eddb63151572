using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Planning;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Querying;

// Queries that need one stored value of each entity. It is read without creating the entities, unless predicates have to be checked.
sealed partial class QueryRun<T>
{
    /// <summary>Returns a value of each result, in the order of the results.</summary>
    public async IAsyncEnumerable<List<TValue>> ReadValuesAsync<TValue>(
        StoreSnapshot snapshot, StoredValue<T, TValue> stored, Func<T, TValue> valueOf, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await FitToAsync(snapshot, cancellationToken).ConfigureAwait(false);
        var values = IsChecked || UsesRelated || !IsInKeptOrder ? ReadEntitiesAsync(snapshot, valueOf, cancellationToken)
            : await IsIndexEnoughAsync(snapshot, cancellationToken).ConfigureAwait(false) && await FindIndexAsync(snapshot, cancellationToken).ConfigureAwait(false) is var (scan, columns)
            ? ReadIndexAsync(snapshot, scan, new EntryReading<TValue>(columns, valueOf) { TryRead = EntryReader(Array.IndexOf(columns, stored.Slot)) }, cancellationToken)
            : FilterByEntityAsync(snapshot, new RowReading<TValue>((_, entity, _) => valueOf(entity)) { TryRead = (document, out value) => stored.TryRead(document.Unvalidated, out value) }, isCut: true, ofIndex: null, _spec.Components, cancellationToken);
        await foreach (var batch in values.ConfigureAwait(false))
            yield return batch;

        DirectEntryReader<TValue> EntryReader(int column) => (value, out row) => stored.TryRead(value, column, out row);
    }

    async IAsyncEnumerable<List<TValue>> ReadEntitiesAsync<TValue>(StoreSnapshot snapshot, Func<T, TValue> valueOf, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var batch in ReadFittedEntities(snapshot, cancellationToken).ConfigureAwait(false))
            yield return batch.ConvertAll(entity => valueOf(entity));
    }
}
