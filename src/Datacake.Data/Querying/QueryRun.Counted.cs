using System.Runtime.CompilerServices;
using Datacake.Data.Querying.Planning;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Querying;

// Queries that use nothing but the columns of an index. Entries with the same value are not distinguished, so their entity is read once.
sealed partial class QueryRun<T>
{
    const int FirstCountedPage = 128;

    /// <summary>Returns the results in any order, each with the number of results that do not differ from it in what the query uses. It is the first of these by its key.</summary>
    public async IAsyncEnumerable<List<(T Entity, long Count)>> ReadCountedAsync(StoreSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await FitToAsync(snapshot, cancellationToken).ConfigureAwait(false);
        var counted = _spec is { IsUnordered: true, IsKeyUsed: false, IsCut: false }
            && await IsIndexEnoughAsync(snapshot, cancellationToken).ConfigureAwait(false) && await FindIndexAsync(snapshot, cancellationToken).ConfigureAwait(false) is var (scan, columns)
            ? ReadIndexCountedAsync(snapshot, scan, columns, cancellationToken)
            : ReadSinglyAsync();
        await foreach (var batch in counted.ConfigureAwait(false))
            yield return batch;

        async IAsyncEnumerable<List<(T Entity, long Count)>> ReadSinglyAsync()
        {
            await foreach (var batch in ReadFittedEntities(snapshot, cancellationToken).ConfigureAwait(false))
                yield return batch.ConvertAll(static entity => (entity, 1L));
        }
    }

    async IAsyncEnumerable<List<(T Entity, long Count)>> ReadIndexCountedAsync(
        StoreSnapshot snapshot, IndexScan scan, int[] columns, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using var page = new IndexPage();
        int length = FirstCountedPage;
        foreach (var range in scan.Values)
        {
            for (var rest = range; !rest.IsEmpty;)
            {
                var last = await snapshot.ScanIndexAsync(_keyspace.Name, scan.Index.Name, rest, ScanDirection.Forward, length, page, cancellationToken).ConfigureAwait(false);
                if (page.Count == 0)
                    break;
                rest = rest.After(last);
                var counted = new List<(T Entity, long Count)>();
                var cutOff = Read(page, columns, counted);
                if (cutOff is null && page.Count == length && page.ValueOf(0).SequenceEqual(page.ValueOf(page.Count - 1)))
                {
                    // The store counts the rest of the entries with this value, which is much faster than reading them.
                    var same = KeyRange.WithPrefix(page.ValueOf(0).ToArray());
                    long more = await snapshot.CountIndexAsync(_keyspace.Name, scan.Index.Name, PathReader.Intersection(rest, same), cancellationToken).ConfigureAwait(false);
                    if (counted is [var (entity, count)])
                        counted[0] = (entity, count + more);
                    rest = same.End is { } beyond ? rest with { Start = beyond } : new KeyRange(rest.Start, rest.Start);
                }
                else
                {
                    length = Math.Min(length * 2, IndexPageLength);
                }
                if (cutOff is not null)
                    await ReadCutOffAsync(snapshot, cutOff, entity => counted.Add((entity, 1)), cancellationToken).ConfigureAwait(false);
                if (counted.Count > 0)
                    yield return counted;
            }
        }
    }

    /// <summary>Counts the entries of a page with each value. Returns the keys of the entries whose values are cut off; null if there are none.</summary>
    List<DocumentKey>? Read(IndexPage page, int[] columns, List<(T Entity, long Count)> counted)
    {
        List<DocumentKey>? cutOff = null;
        for (int start = 0, end; start < page.Count; start = end)
        {
            end = start + 1;
            var value = page.ValueOf(start);
            if (value.Length >= DocumentIndex.MaxValueLength)
            {
                (cutOff ??= []).Add(new DocumentKey(page.KeyOf(start).ToArray()));
                continue;
            }
            while (end < page.Count && page.ValueOf(end).SequenceEqual(value))
                end++;
            var entity = _model.Read(page.KeyOf(start), value, columns, _spec.Components!);
            if (!IsChecked || AreTrue(Checks, entity))
                counted.Add((entity, end - start));
        }
        return cutOff;
    }
}
