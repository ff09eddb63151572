namespace Datacake.Data.Querying;

// Operators that combine results, or select some of them.
static partial class Batches
{
    public static async IAsyncEnumerable<IReadOnlyList<T>> Of<T>(T item)
    {
        await Task.CompletedTask.ConfigureAwait(false);
        yield return [item];
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> Concat<T>(IAsyncEnumerable<IReadOnlyList<T>> first, IAsyncEnumerable<IReadOnlyList<T>> second)
    {
        await foreach (var batch in first.ConfigureAwait(false))
            yield return batch;
        await foreach (var batch in second.ConfigureAwait(false))
            yield return batch;
    }

    public static IAsyncEnumerable<IReadOnlyList<T>> DistinctBy<T, TKey>(IAsyncEnumerable<IReadOnlyList<T>> source, Func<T, TKey> key)
    {
        var seen = new HashSet<TKey>();
        return Where(source, item => seen.Add(key(item)));
    }

    /// <summary>Returns the first item for each key that is, or is not, among other keys.</summary>
    public static async IAsyncEnumerable<IReadOnlyList<T>> Keep<T, TKey>(
        IAsyncEnumerable<IReadOnlyList<T>> source, IAsyncEnumerable<IReadOnlyList<TKey>> others, Func<T, TKey> key, bool isIn)
    {
        HashSet<TKey> keys = [.. await ToListAsync(others).ConfigureAwait(false)];
        await foreach (var batch in Where(source, item => isIn ? keys.Remove(key(item)) : keys.Add(key(item))).ConfigureAwait(false))
            yield return batch;
    }

    public static async IAsyncEnumerable<IReadOnlyList<(T, TOther)>> Zip<T, TOther>(
        IAsyncEnumerable<IReadOnlyList<T>> first, IAsyncEnumerable<IReadOnlyList<TOther>> second)
    {
        var others = second.GetAsyncEnumerator();
        await using (others.ConfigureAwait(false))
        {
            int next = 0;
            IReadOnlyList<TOther> page = [];
            await foreach (var batch in first.ConfigureAwait(false))
            {
                var pairs = new List<(T, TOther)>(batch.Count);
                foreach (var item in batch)
                {
                    if (next == page.Count)
                    {
                        if (!await others.MoveNextAsync().ConfigureAwait(false))
                            break;
                        (page, next) = (others.Current, 0);
                    }
                    pairs.Add((item, page[next++]));
                }
                if (pairs.Count > 0)
                    yield return pairs;
                if (pairs.Count < batch.Count)
                    yield break;
            }
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<bool>> AreEqual<T>(
        IAsyncEnumerable<IReadOnlyList<T>> first, IAsyncEnumerable<IReadOnlyList<T>> second)
    {
        var (a, b) = (await ToListAsync(first).ConfigureAwait(false), await ToListAsync(second).ConfigureAwait(false));
        yield return [a.SequenceEqual(b)];
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> DefaultIfEmpty<T>(IAsyncEnumerable<IReadOnlyList<T>> source, T value)
    {
        bool isEmpty = true;
        await foreach (var batch in source.ConfigureAwait(false))
        {
            isEmpty = false;
            yield return batch;
        }
        if (isEmpty)
            yield return [value];
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> TakeWhile<T>(IAsyncEnumerable<IReadOnlyList<T>> source, Func<T, bool> predicate)
    {
        await foreach (var batch in source.ConfigureAwait(false))
        {
            List<T> taken = [.. batch.TakeWhile(predicate)];
            if (taken.Count > 0)
                yield return taken;
            if (taken.Count < batch.Count)
                yield break;
        }
    }

    public static IAsyncEnumerable<IReadOnlyList<T>> SkipWhile<T>(IAsyncEnumerable<IReadOnlyList<T>> source, Func<T, bool> predicate)
    {
        bool isSkipping = true;
        return Where(source, item => !(isSkipping &= isSkipping && predicate(item)));
    }

    public static async IAsyncEnumerable<IReadOnlyList<T>> SkipLast<T>(IAsyncEnumerable<IReadOnlyList<T>> source, int count)
    {
        var kept = new List<T>();
        await foreach (var batch in source.ConfigureAwait(false))
        {
            kept.AddRange(batch);
            int ready = kept.Count - count;
            if (ready <= 0)
                continue;
            yield return kept[..ready];
            kept.RemoveRange(0, ready);
        }
    }

    public static async IAsyncEnumerable<IReadOnlyList<T[]>> Chunk<T>(IAsyncEnumerable<IReadOnlyList<T>> source, int size)
    {
        var rest = new List<T>();
        await foreach (var batch in source.ConfigureAwait(false))
        {
            rest.AddRange(batch);
            int full = rest.Count / size * size;
            if (full == 0)
                continue;
            yield return [.. rest[..full].Chunk(size)];
            rest.RemoveRange(0, full);
        }
        if (rest.Count > 0)
            yield return [[.. rest]];
    }

    public static IAsyncEnumerable<IReadOnlyList<(int Index, T Item)>> Index<T>(IAsyncEnumerable<IReadOnlyList<T>> source)
    {
        int next = 0;
        return Select(source, item => (next++, item));
    }
}
