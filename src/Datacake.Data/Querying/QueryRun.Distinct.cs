using System.Runtime.CompilerServices;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Planning;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Querying;

// Queries that need one entity for each value of an indexed property. After each value, the scan of the index moves beyond it.
sealed partial class QueryRun<T>
{
    /// <summary>The numbers of entries that are read at a time: few while each value has many entries, and more while it has few.</summary>
    const int FirstDistinctPage = 32, SmallestDistinctPage = 4;

    /// <summary>The number of values beyond which the entities are read instead: they have to be held, since they are returned in the order of the keys.</summary>
    const int MaxDistinctValues = 10_000;

    /// <summary>Returns the scan of an index in which the entries with one value of the property are adjacent and in the order of their keys; null if there is none.</summary>
    async ValueTask<(IndexScan Scan, int[] Columns)?> FindDistinctAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (_spec.DistinctBy is not { } property || _spec.IsCut || IsChecked)
            return null;
        if (Path is IndexScan planned)
        {
            return planned is { Values: [_], HasEachOnce: true, IsExact: true } && planned.FixedColumns == planned.Index.Properties.Count - 1 && planned.Index.Properties[^1] == property
                && ColumnsOf(planned.Index) is { } known ? (planned, known) : null;
        }
        if (Path is not KeyScan { IsFull: true })
            return null;
        foreach (var index in _model.Indexes)
        {
            if (index is { DerivedType: null, Properties: [var only] } && only == property && ColumnsOf(index) is { } columns && snapshot.HasIndex(_keyspace.Name, index.Name)
                && !await IndexExtraction.HasUnreadableAsync(snapshot, _keyspace.Name, index, cancellationToken).ConfigureAwait(false))
            {
                var scan = new IndexScan(index, [KeyRange.All], ScanDirection.Forward) { HasEachOnce = true };
                Path = scan;
                return (scan, columns);
            }
        }
        return null;
    }

    /// <summary>Returns the first entity for each value, in the order of their keys.</summary>
    async IAsyncEnumerable<List<T>> ReadDistinctAsync(StoreSnapshot snapshot, IndexScan scan, int[] columns, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var found = new List<(DocumentKey Key, T Entity)>();
        using var page = new IndexPage();
        int length = FirstDistinctPage;
        bool isGivenUp = false;
        for (var rest = scan.Values[0]; !rest.IsEmpty && !isGivenUp;)
        {
            await snapshot.ScanIndexAsync(_keyspace.Name, scan.Index.Name, rest, ScanDirection.Forward, length, page, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                break;
            int before = found.Count;
            // Entries with a value that is cut off may be of entities with different values.
            isGivenUp = !AddFirst(page, columns, found) || found.Count > MaxDistinctValues;
            if (KeyRange.WithPrefix(page.ValueOf(page.Count - 1).ToArray()).End is not { } beyond)
                break;
            rest = rest with { Start = beyond };
            length = found.Count - before > 2 ? Math.Min(length * 2, IndexPageLength) : Math.Max(length / 2, SmallestDistinctPage);
        }
        if (isGivenUp)
        {
            found.Clear();
            await foreach (var batch in FilterAsync(snapshot, static (_, entity, _) => entity, cancellationToken).ConfigureAwait(false))
                yield return batch;
        }
        else if (found.Count > 0)
        {
            found.Sort(static (a, b) => a.Key.CompareTo(b.Key));
            yield return found.ConvertAll(static first => first.Entity);
        }
    }

    /// <summary>Adds the entity of the first entry with each value of a page. Returns false if a value is cut off.</summary>
    bool AddFirst(IndexPage page, int[] columns, List<(DocumentKey Key, T Entity)> found)
    {
        for (int i = 0; i < page.Count; i++)
        {
            var value = page.ValueOf(i);
            if (value.Length >= DocumentIndex.MaxValueLength)
                return false;
            if (i == 0 || !value.SequenceEqual(page.ValueOf(i - 1)))
                found.Add((new DocumentKey(page.KeyOf(i).ToArray()), _model.Read(page.KeyOf(i), value, columns, _spec.Components!)));
        }
        return true;
    }
}
