namespace Datacake.Data.Querying;

/// <summary>
/// The rows of a query in its order: all of them, or a number from the start. It never holds more rows than it returns. Rows that compare
/// equal keep the order in which they were added. Not thread-safe.
/// </summary>
/// <param name="orderings">The keys to order by, from the first to the last.</param>
/// <param name="itemOf">Returns the item of a row, which has the keys.</param>
/// <param name="limit">The number of rows to keep; null for all.</param>
sealed class SortedRows<T, TRow>(IReadOnlyList<Ordering<T>> orderings, Func<TRow, T> itemOf, int? limit)
{
    // A heap with the last of the kept rows on top, which the next better row replaces.
    readonly PriorityQueue<TRow, Place> _kept = new(Comparer<Place>.Create(static (a, b) => b.CompareTo(a)));
    readonly HashSet<TRow> _distinct = [];
    List<TRow> _all = [];
    long _added;

    /// <summary>True if rows that compare equal are in the opposite order of that in which they were added.</summary>
    public bool IsReversed { get; init; }

    /// <summary>True if only the first of several equal rows is kept. Equal rows must have equal keys.</summary>
    public bool IsDistinct { get; init; }

    /// <summary>Gets the function that returns the key that decides between rows that compare equal otherwise; null if there is none.</summary>
    public Func<TRow, SortKey>? Tie { get; init; }

    /// <summary>Gets the number of rows that are held.</summary>
    public int Count => _all.Count + _kept.Count;

    /// <summary>Gets the key of the last of the rows to keep so far; null while there are fewer than the limit.</summary>
    public SortKey? LastKept => _kept.Count == limit && _kept.TryPeek(out _, out var last) ? last.Key : null;

    public void Add(TRow row)
    {
        // A row that is no longer kept cannot be kept when it comes again, because the rows that are kept only become smaller.
        if (IsDistinct && _distinct.Contains(row))
            return;
        if (limit is not { } max)
        {
            _all.Add(row);
            if (IsDistinct)
                _distinct.Add(row);
            return;
        }
        var place = NextPlace(itemOf(row), Tie?.Invoke(row));
        if (!IsWithin(place, max))
            return;
        Keep(row, place, max);
        if (IsDistinct)
            _distinct.Add(row);
    }

    /// <summary>Returns true if an item is among those to keep so far. Its row can then be added at the place. There must be a limit, and no tie or distinction.</summary>
    public bool Wants(T item, out Place place) => IsWithin(place = NextPlace(item, tie: null), limit!.Value);

    /// <summary>Adds a row at the place that <see cref="Wants"/> has returned for its item.</summary>
    public void Add(TRow row, Place place) => Keep(row, place, limit!.Value);

    /// <summary>Returns the rows in order, in a list that the caller owns, and is empty afterwards.</summary>
    public List<TRow> Take()
    {
        _distinct.Clear();
        if (limit is null)
        {
            var all = _all;
            _all = [];
            if (IsReversed)
                all.Reverse();
            if (Tie is not { } tie)
                return orderings.Count == 0 ? all : [.. Ordering<T>.Sort(all, orderings, itemOf)];
            return all.Count < 2 ? all
                : [.. Ordering<T>.Sort(all.OrderBy(tie, Comparer<SortKey>.Create(static (a, b) => a.CompareTo(b))), orderings, itemOf)];
        }
        var sorted = new TRow[_kept.Count];
        for (int i = sorted.Length - 1; i >= 0; i--)
            sorted[i] = _kept.Dequeue();
        return [.. sorted];
    }

    // All keys are computed, because an expression that throws must throw whatever the order of the rows.
    Place NextPlace(T item, SortKey? tie)
    {
        _added++;
        return new(SortKey.Of(item, orderings, tie), IsReversed ? -_added : _added);
    }

    bool IsWithin(Place place, int max) => _kept.Count < max || (max > 0 && _kept.TryPeek(out _, out var last) && place.CompareTo(last) < 0);

    void Keep(TRow row, Place place, int max)
    {
        if (_kept.Count < max)
            _kept.Enqueue(row, place);
        else
            _distinct.Remove(_kept.DequeueEnqueue(row, place));
    }

    /// <summary>The place of a row in the order.</summary>
    public readonly record struct Place(SortKey? Key, long Number)
    {
        public int CompareTo(Place other) => Key is { } key && key.CompareTo(other.Key!) is not 0 and var order ? order : Number.CompareTo(other.Number);
    }
}
