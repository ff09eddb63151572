namespace Datacake.Data.Querying;

/// <summary>The operators over results in batches: a batch costs one asynchronous step, where single items would cost one each.</summary>
static class Batches
{
    public static async IAsyncEnumerable<IReadOnlyList<T>> Where<T>(IAsyncEnumerable<IReadOnlyList<T>> source, Func<T, bool> predicate)
    {
        await foreach (var batch in source.ConfigureAwait(false))
        {
            List<T> matches = [.. batch.Where(predicate)];
            if (matches.Count > 0)
                yield return matches;
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<TResult>> Select<T, TResult>(
        IAsyncEnumerable<IReadOnlyList<T>> source, Func<T, TResult> selector)
    {
        await foreach (var batch in source.ConfigureAwait(false))
            yield return [.. batch.Select(selector)];
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
}
