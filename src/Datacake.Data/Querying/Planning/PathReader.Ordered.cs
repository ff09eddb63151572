using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Indexes;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Querying.Planning;

// Documents in the order of an index.
sealed partial class PathReader
{
    /// <summary>The number of entries that are read at a time while documents are left out.</summary>
    const int SkippedPage = 4096;

    bool _isSkipping = true;    // false once a document was read
    KeyRange? _group = path is IndexScan { HasGroup: true } split ? split.Values[split.Direction == ScanDirection.Forward ? 0 : 1] : null;       // the rest of a group of equal values that is read in the other direction; null outside of one

    async ValueTask<bool> ScanAsync(IndexScan scan, CancellationToken cancellationToken)
    {
        if (Skip > 0 && HasPlaces && _rest is null && Skipped == 0 && snapshot.Observer is null)
            await SkipEntriesAsync(scan, cancellationToken).ConfigureAwait(false);
        do
        {
            // No more entries are read than can be left out. If their documents have to be compared, the page is not much longer than usual.
            int entries = _isSkipping && Skipped < Skip ? Math.Min(Skip - Skipped, SkippedPage) : TakePage();
            bool isThere = scan.TieOrder is { } tie && tie != scan.Direction
                ? await ReadGroupsAsync(scan, tie, entries, cancellationToken).ConfigureAwait(false)
                : await ReadEntriesAsync(scan, entries, cancellationToken).ConfigureAwait(false);
            if (!isThere)
                return false;
            LeaveOut();
        }
        while (_order.Count == 0);
        _indexAt = 0;
        var keys = new KeyList();
        keys.Add(_index, _order);
        await snapshot.GetManyAsync(keyspace, keys.ToSegment(), Page, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Moves to the place of the first entry that is not left out, without reading those before it.</summary>
    async ValueTask SkipEntriesAsync(IndexScan scan, CancellationToken cancellationToken)
    {
        var range = scan.Values[0];
        var position = await snapshot.SkipIndexAsync(keyspace, scan.Index.Name, range, scan.Direction, Skip, cancellationToken).ConfigureAwait(false);
        Skipped = Skip;
        if (position.IsEmpty)
        {
            _rest = new KeyRange(range.Start, range.Start);
            return;
        }
        _rest = scan.Direction == ScanDirection.Forward ? range with { Start = position } : range with { End = KeyRange.All.After(position).Start };
        if (scan.TieOrder is not { } tie || tie == scan.Direction)
            return;
        // The entries with the same value come in the other order, so it is not yet known which of them are left out.
        await ReadIndexAsync(scan, _rest.Value, scan.Direction, entries: 1, cancellationToken).ConfigureAwait(false);
        var group = Intersection(range, KeyRange.WithPrefix(_index.ValueOf(0).ToArray()));
        var before = scan.Direction == ScanDirection.Forward ? group with { End = position } : group with { Start = KeyRange.All.After(position).Start };
        Skipped -= (int)await snapshot.CountIndexAsync(keyspace, scan.Index.Name, before, cancellationToken).ConfigureAwait(false);
        _rest = scan.Direction == ScanDirection.Forward ? range with { Start = group.Start } : range with { End = group.End };
    }

    /// <summary>Leaves out the first entries of a page, up to one whose place is not certain, because its value was cut off.</summary>
    void LeaveOut()
    {
        if (!_isSkipping)
            return;
        int count = 0;
        while (count < _order.Count && Skipped + count < Skip && _index.ValueOf(_order[count]).Length < DocumentIndex.MaxValueLength)
            count++;
        _order.RemoveRange(0, count);
        Skipped += count;
        _isSkipping = _order.Count == 0;
    }

    /// <summary>Reads a page of entries in the order of the scan.</summary>
    async ValueTask<bool> ReadEntriesAsync(IndexScan scan, int entries, CancellationToken cancellationToken)
    {
        var range = _rest ?? scan.Values[0];
        var last = await ReadIndexAsync(scan, range, scan.Direction, entries, cancellationToken).ConfigureAwait(false);
        AddToOrder(0, _index.Count, isBackward: false);
        _rest = Rest(range, scan.Direction, last);
        return _index.Count > 0;
    }

    /// <summary>
    /// Reads a page of entries, of which those with equal values come in the order that is opposite to the scan. A group of equal values
    /// that fills a page is read from its other end, so that no more than a page is held.
    /// </summary>
    async ValueTask<bool> ReadGroupsAsync(IndexScan scan, ScanDirection tie, int entries, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_group is { } group)
            {
                var next = await ReadIndexAsync(scan, group, tie, entries, cancellationToken).ConfigureAwait(false);
                if (_index.Count > 0)
                {
                    AddToOrder(0, _index.Count, isBackward: false);
                    _group = Rest(group, tie, next);
                    return true;
                }
                _group = null;
            }
            var range = _rest ?? scan.Values[0];
            if (range.IsEmpty)
                return false;
            // The last group of a page may continue after it, so it is left for the next page.
            await ReadIndexAsync(scan, range, scan.Direction, entries + 1, cancellationToken).ConfigureAwait(false);
            if (_index.Count == 0)
                return false;
            int last = StartOfGroup(_index.Count - 1);
            if (last > 0)
            {
                for (int start = 0, end; start < last; start = end)
                {
                    end = start + 1;
                    while (end < last && _index.ValueOf(end).SequenceEqual(_index.ValueOf(start)))
                        end++;
                    AddToOrder(start, end, isBackward: true);
                }
                _rest = Rest(range, scan.Direction, _index.PositionOf(last - 1).ToArray());
                return true;
            }
            var all = KeyRange.WithPrefix(_index.ValueOf(0).ToArray());
            _group = Intersection(range, all);
            _rest = scan.Direction == ScanDirection.Reverse ? range with { End = all.Start }
                : all.End is { } upper ? range with { Start = upper }
                : new KeyRange(all.Start, all.Start);
        }
    }

    async ValueTask<ReadOnlyMemory<byte>> ReadIndexAsync(IndexScan scan, KeyRange range, ScanDirection direction, int entries, CancellationToken cancellationToken)
    {
        _order.Clear();
        return await snapshot.ScanIndexAsync(keyspace, scan.Index.Name, range, direction, entries, _index, cancellationToken).ConfigureAwait(false);
    }

    int StartOfGroup(int entry)
    {
        while (entry > 0 && _index.ValueOf(entry - 1).SequenceEqual(_index.ValueOf(entry)))
            entry--;
        return entry;
    }

    void AddToOrder(int start, int end, bool isBackward)
    {
        for (int i = start; i < end; i++)
            _order.Add(isBackward ? end - 1 - (i - start) : i);
    }

    static KeyRange Rest(KeyRange range, ScanDirection direction, ReadOnlyMemory<byte> last) =>
        direction == ScanDirection.Forward ? range.After(last) : range.Before(last);

    public static KeyRange Intersection(KeyRange a, KeyRange b) => new(
        a.Start.Span.SequenceCompareTo(b.Start.Span) >= 0 ? a.Start : b.Start,
        a.End is not { } first ? b.End : b.End is not { } second || first.Span.SequenceCompareTo(second.Span) <= 0 ? first : second);
}
