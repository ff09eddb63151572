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

    /// <summary>True if an index may be read instead of the documents.</summary>
    async ValueTask<bool> IsIndexEnoughAsync(StoreSnapshot snapshot, CancellationToken cancellationToken) =>
        // A save that depends on the results depends on documents. And an index still has documents that have expired.
        MayReadIndexAlone && snapshot.Observer is null && !await snapshot.HasExpiredAsync(_keyspace.Name, cancellationToken).ConfigureAwait(false);

    /// <summary>Returns the entities of the path in its order, from an index alone if it has all that the query uses.</summary>
    async IAsyncEnumerable<List<T>> ReadKeptAsync(StoreSnapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        bool isIndexEnough = await IsIndexEnoughAsync(snapshot, cancellationToken).ConfigureAwait(false);
        var entities = isIndexEnough && await FindDistinctAsync(snapshot, cancellationToken).ConfigureAwait(false) is var (distinct, distinctColumns)
            ? ReadDistinctAsync(snapshot, distinct, distinctColumns, cancellationToken)
            : isIndexEnough && await FindIndexAsync(snapshot, cancellationToken).ConfigureAwait(false) is var (scan, columns)
            ? ReadIndexAsync(snapshot, scan, new EntryReading<T>(columns, static entity => entity), cancellationToken)
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

    async IAsyncEnumerable<List<TRow>> ReadIndexAsync<TRow>(StoreSnapshot snapshot, IndexScan scan, EntryReading<TRow> reading, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        int skip = _spec.Skip, take = _spec.Take ?? int.MaxValue, length = Math.Clamp(QuerySpec<T>.Sum(skip, take), 1, IndexPageLength);
        var pages = new PagesAhead<IndexPage>((from, entries, into, token) =>
            snapshot.ScanIndexAsync(_keyspace.Name, scan.Index.Name, from, scan.Direction, entries, into, token));
        await using var _ = pages.ConfigureAwait(false);
        foreach (var range in scan.Values)
        {
            for (var rest = range; take > 0;)
            {
                var last = await pages.ReadAsync(rest, length, cancellationToken).ConfigureAwait(false);
                var page = pages.Page;
                if (page.Count == 0)
                    break;
                rest = scan.Direction == ScanDirection.Forward ? rest.After(last) : rest.Before(last);
                if (page.Count == IndexPageLength && take > IndexPageLength)
                    pages.ReadAhead(rest, IndexPageLength, cancellationToken);
                var rows = new List<TRow>(Math.Min(page.Count, take));
                var cutOff = Read(page, reading, rows, ref skip, take);
                if (cutOff is not null)
                    await ReadCutOffAsync(snapshot, cutOff, entity => Add(rows, reading.RowOf(entity), take), cancellationToken).ConfigureAwait(false);
                take -= rows.Count;
                if (rows.Count > 0)
                    yield return rows;
                length = IndexPageLength;
            }
        }

        static void Add(List<TRow> rows, TRow row, int take)
        {
            if (rows.Count < take)
                rows.Add(row);
        }
    }

    /// <summary>Converts the entries of a page to rows. Returns the keys of the entries whose values are cut off; null if there are none.</summary>
    List<DocumentKey>? Read<TRow>(IndexPage page, EntryReading<TRow> reading, List<TRow> rows, ref int skip, int take)
    {
        List<DocumentKey>? cutOff = null;
        bool isChecked = IsChecked;
        for (int i = 0; i < page.Count && rows.Count < take; i++)
        {
            var value = page.ValueOf(i);
            if (value.Length >= DocumentIndex.MaxValueLength)
            {
                (cutOff ??= []).Add(new DocumentKey(page.KeyOf(i).ToArray()));
                continue;
            }
            if (isChecked || reading.TryRead is not { } tryRead || !tryRead(value, out var row))
            {
                var entity = _model.Read(page.KeyOf(i), value, reading.Columns, _spec.Components!);
                if (isChecked && !AreTrue(Checks, entity))
                    continue;
                row = reading.RowOf(entity);
            }
            if (skip > 0)
                skip--;
            else
                rows.Add(row);
        }
        return cutOff;
    }

    /// <summary>Reads the entities whose values an index has cut off from their documents. Only unordered queries have such entities, so that none is skipped.</summary>
    async ValueTask ReadCutOffAsync(StoreSnapshot snapshot, List<DocumentKey> keys, Action<T> add, CancellationToken cancellationToken)
    {
        keys.Sort();
        using var documents = new DocumentPage();
        await snapshot.GetManyAsync(_keyspace.Name, keys, documents, cancellationToken).ConfigureAwait(false);
        foreach (var document in documents)
        {
            DocumentsRead++;
            var entity = _model.Read(document.EncodedKey, document.Document, _spec.Components);
            if (!IsChecked || AreTrue(Checks, entity))
                add(entity);
        }
    }

    delegate bool DirectEntryReader<TRow>(ReadOnlySpan<byte> indexValue, out TRow row);

    /// <summary>The conversion of index entries to rows.</summary>
    /// <param name="Columns">For each column of the index, its path among those of the model, or -1.</param>
    /// <param name="RowOf">Returns the row of an entity.</param>
    sealed record EntryReading<TRow>(int[] Columns, Func<T, TRow> RowOf)
    {
        /// <summary>Gets a function that returns the row of an index value without its entity where it can; null if there is none. It is used only for entries that need not be checked.</summary>
        public DirectEntryReader<TRow>? TryRead { get; init; }
    }
}
