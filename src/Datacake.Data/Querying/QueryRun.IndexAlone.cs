using System.Runtime.CompilerServices;
using Datacake.Data.CodeGeneration;
using Datacake.Data.Metadata;
using Datacake.Data.Querying.Planning;
using Datacake.Data.Values;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Querying;

// Queries that use nothing but the columns of an index. Their entities are read from its entries, and no document is.
sealed partial class QueryRun<T>
{
    /// <summary>The largest number of entries that are read at a time.</summary>
    const int IndexPageLength = 1024;

    /// <summary>True if the query may use nothing but the columns of an index, whatever index that is.</summary>
    bool MayReadIndexAlone => _spec is { Components: not null, SkipsUnreadable: false } && !UsesRelated && _model.IsReadablePartially && IsInKeptOrder;

    /// <summary>Returns the entities of the path in its order, from an index alone if it has all that the query uses.</summary>
    async IAsyncEnumerable<List<T>> ReadKeptAsync(StoreSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // A save that depends on the results depends on documents. And an index still has documents that have expired.
        bool isIndexEnough = snapshot.Observer is null && !await snapshot.HasExpiredAsync(_keyspace.Name, cancellationToken).ConfigureAwait(false);
        var entities = isIndexEnough && await FindDistinctAsync(snapshot, cancellationToken).ConfigureAwait(false) is var (distinct, distinctColumns)
            ? ReadDistinctAsync(snapshot, distinct, distinctColumns, cancellationToken)
            : isIndexEnough && await FindIndexAsync(snapshot, cancellationToken).ConfigureAwait(false) is var (scan, columns)
            ? ReadIndexAsync(snapshot, scan, columns, cancellationToken)
            : FilterAsync(snapshot, static (_, entity, _) => entity, cancellationToken);
        await foreach (var batch in entities.ConfigureAwait(false))
            yield return batch;
    }

    /// <summary>Returns the scan of an index that has all properties that the query uses, with the paths of its columns; null if there is none.</summary>
    async ValueTask<(IndexScan Scan, int[] Columns)?> FindIndexAsync(StoreSnapshot snapshot, CancellationToken cancellationToken)
    {
        if (Path is IndexScan planned)
        {
            bool isReadInOrder = _spec.IsUnordered ? planned.Values.Count <= KeyLookups.MinCountToCompare
                : planned.Values.Count == 1 && (planned.IsInOrder || planned.IsInKeyOrder) && (planned.TieOrder ?? planned.Direction) == planned.Direction;
            return isReadInOrder && planned.HasEachOnce && ColumnsOf(planned.Index) is { } known && (_spec.IsUnordered || HasFixedLengths(planned.Index)) ? (planned, known) : null;
        }
        // Without a condition that an index answers, any index has all entities. The order of its entries is not that of the keys.
        if (Path is not KeyScan { IsFull: true } || !_spec.IsUnordered)
            return null;
        foreach (var index in _model.Indexes.OrderBy(static index => index.Properties.Count))
        {
            if (index.DerivedType is null && ColumnsOf(index) is { } columns && snapshot.HasIndex(_keyspace.Name, index.Name)
                && !await IndexExtraction.HasUnreadableAsync(snapshot, _keyspace.Name, index, cancellationToken).ConfigureAwait(false))
            {
                var scan = new IndexScan(index, [KeyRange.All], ScanDirection.Forward) { HasEachOnce = true };
                Path = scan;
                return (scan, columns);
            }
        }
        return null;
    }

    /// <summary>Returns, for each column of an index, its path among those of the model, or -1 for a part of the key; null if the index lacks a value that the query uses.</summary>
    int[]? ColumnsOf(IndexModel index)
    {
        var lacking = _spec.Components!.AsSpan().ToArray();
        int[] columns = new int[index.Properties.Count];
        for (int i = 0; i < columns.Length; i++)
        {
            var property = _model.FindProperty(index.Properties[i])!;
            if (index.Descending[i] || property.Kind == PropertyKind.Set)
                return null;
            columns[i] = property.Kind == PropertyKind.Value && property.OrderedCodec is IIndexedCodec { IsExactInIndex: true }
                ? Array.FindIndex(_model.Paths, path => path.Name == property.StoredName) : -1;
            if (columns[i] >= 0)
                lacking[columns[i]] = false;
        }
        return lacking.Contains(true) ? null : columns;
    }

    async IAsyncEnumerable<List<T>> ReadIndexAsync(StoreSnapshot snapshot, IndexScan scan, int[] columns, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int skip = _spec.Skip, take = _spec.Take ?? int.MaxValue, length = Math.Clamp(QuerySpec<T>.Sum(skip, take), 1, IndexPageLength);
        using var page = new IndexPage();
        foreach (var range in scan.Values)
        {
            for (var rest = range; take > 0;)
            {
                var last = await snapshot.ScanIndexAsync(_keyspace.Name, scan.Index.Name, rest, scan.Direction, length, page, cancellationToken).ConfigureAwait(false);
                if (page.Count == 0)
                    break;
                rest = scan.Direction == ScanDirection.Forward ? rest.After(last) : rest.Before(last);
                var entities = new List<T>(Math.Min(page.Count, take));
                var cutOff = Read(page, columns, entities, ref skip, take);
                if (cutOff is not null)
                    await ReadCutOffAsync(snapshot, cutOff, entities, take, cancellationToken).ConfigureAwait(false);
                take -= entities.Count;
                if (entities.Count > 0)
                    yield return entities;
                length = IndexPageLength;
            }
        }
    }

    /// <summary>Converts the entries of a page to entities. Returns the keys of the entries whose values are cut off; null if there are none.</summary>
    List<DocumentKey>? Read(IndexPage page, int[] columns, List<T> entities, ref int skip, int take)
    {
        List<DocumentKey>? cutOff = null;
        bool isChecked = IsChecked;
        for (int i = 0; i < page.Count && entities.Count < take; i++)
        {
            var value = page.ValueOf(i);
            if (value.Length >= DocumentIndex.MaxValueLength)
                (cutOff ??= []).Add(new DocumentKey(page.KeyOf(i).ToArray()));
            else if (_model.Read(page.KeyOf(i), value, columns, _spec.Components!) is var entity && isChecked && !AreTrue(Checks, entity))
                continue;
            else if (skip > 0)
                skip--;
            else
                entities.Add(entity);
        }
        return cutOff;
    }

    /// <summary>Reads the entities whose values an index has cut off from their documents. Only unordered queries have such entities, so that none is skipped.</summary>
    async ValueTask ReadCutOffAsync(StoreSnapshot snapshot, List<DocumentKey> keys, List<T> entities, int take, CancellationToken cancellationToken)
    {
        keys.Sort();
        using var documents = new DocumentPage();
        await snapshot.GetManyAsync(_keyspace.Name, keys, documents, cancellationToken).ConfigureAwait(false);
        foreach (var document in documents)
        {
            DocumentsRead++;
            var entity = _model.Read(document.EncodedKey, document.Document, _spec.Components);
            if (entities.Count < take && (!IsChecked || AreTrue(Checks, entity)))
                entities.Add(entity);
        }
    }
}
