using System.Runtime.ExceptionServices;

namespace Datacake.Data.Querying;

/// <summary>The operators over batches of results. A batch costs one asynchronous step, where single items would cost one each.</summary>
static partial class Batches
{
    public static async IAsyncEnumerable<IReadOnlyList<T>> Where<T>(IAsyncEnumerable<IReadOnlyList<T>> source, Func<T, bool> predicate)
    {
        await foreach (var batch in source.ConfigureAwait(false))
        {
            var matches = new List<T>();
            var fault = Apply(batch, item =>
            {
                if (predicate(item))
                    matches.Add(item);
            });
            if (matches.Count > 0)
                yield return matches;
            fault?.Throw();
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<TResult>> Select<T, TResult>(
        IAsyncEnumerable<IReadOnlyList<T>> source, Func<T, TResult> selector)
    {
        await foreach (var batch in source.ConfigureAwait(false))
        {
            var results = new List<TResult>(batch.Count);
            var fault = Apply(batch, item => results.Add(selector(item)));
            if (results.Count > 0)
                yield return results;
            fault?.Throw();
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> Skip<T>(IAsyncEnumerable<IReadOnlyList<T>> source, int count)
    {
        await foreach (var batch in source.ConfigureAwait(false))
        {
            if (count == 0)
                yield return batch;
            else if (batch.Count > count)
                yield return [.. batch.Skip(count)];
            count -= Math.Min(count, batch.Count);
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> Take<T>(IAsyncEnumerable<IReadOnlyList<T>> source, int count)
    {
        if (count == 0)
            yield break;
        await foreach (var batch in source.ConfigureAwait(false))
        {
            yield return batch.Count <= count ? batch : [.. batch.Take(count)];
            count -= Math.Min(count, batch.Count);
            if (count == 0)
                yield break;
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> Distinct<T>(IAsyncEnumerable<IReadOnlyList<T>> source)
    {
        var seen = new HashSet<T>();
        await foreach (var batch in source.ConfigureAwait(false))
        {
            List<T> added = [.. batch.Where(seen.Add)];
            if (added.Count > 0)
                yield return added;
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> Sort<T>(
        IAsyncEnumerable<IReadOnlyList<T>> source, IReadOnlyList<Ordering<T>> orderings)
    {
        var all = new List<T>();
        await foreach (var batch in source.ConfigureAwait(false))
            all.AddRange(batch);
        if (all.Count > 0)
            yield return [.. Ordering<T>.Sort(all, orderings, static item => item)];
    }

    /// <summary>Returns the items after a number of skipped ones in an order, and holds no more than are skipped and taken.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<T>> Top<T>(
        IAsyncEnumerable<IReadOnlyList<T>> source, IReadOnlyList<Ordering<T>> orderings, int skip, int? take, bool isDistinct)
    {
        if (take == 0)
            yield break;
        var sorted = new SortedRows<T, T>(orderings, static item => item, take is { } count ? QuerySpec<T>.Sum(skip, count) : null) { IsDistinct = isDistinct };
        await foreach (var batch in source.ConfigureAwait(false))
        {
            foreach (var item in batch)
                sorted.Add(item);
        }
        var kept = sorted.Take();
        if (kept.Count > skip)
            yield return skip == 0 ? kept : kept[skip..];
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> Reverse<T>(IAsyncEnumerable<IReadOnlyList<T>> source)
    {
        var all = await ToListAsync(source).ConfigureAwait(false);
        all.Reverse();
        if (all.Count > 0)
            yield return all;
    }

    public static async Task<List<T>> ToListAsync<T>(IAsyncEnumerable<IReadOnlyList<T>> source)
    {
        var all = new List<T>();
        await foreach (var batch in source.ConfigureAwait(false))
            all.AddRange(batch);
        return all;
    }

    /// <summary>
    /// Applies an action to items until it throws, and returns the exception. The caller may need only the items before the failure.
    /// </summary>
    static ExceptionDispatchInfo? Apply<T>(IReadOnlyList<T> items, Action<T> action)
    {
        try
        {
            foreach (var item in items)
                action(item);
            return null;
        }
        catch (Exception e)
        {
            return ExceptionDispatchInfo.Capture(e);
        }
    }
}
