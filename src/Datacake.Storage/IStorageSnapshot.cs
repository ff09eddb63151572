namespace Datacake.Storage;

/// <summary>
/// A consistent, read-only view of a store. Any number of threads may read it concurrently.
/// The keys and values that it returns stay valid until it is disposed.
/// </summary>
public interface IStorageSnapshot : IDisposable
{
    /// <summary>The number of entries that are read at a time by a provider that cannot count or skip without reading.</summary>
    private const int SkippedPage = 1024;

    /// <summary>Returns the value of a key, or <see langword="null"/> if the store does not contain the key.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default);

    /// <summary>
    /// Returns one page of the entries in a range, in the given direction. A page has at most <paramref name="maxEntries"/> entries, and may
    /// have fewer. Only an empty page means that the range has no more entries. To read the next page, pass the range
    /// <see cref="KeyRange.After"/> (forward) or <see cref="KeyRange.Before"/> (reverse) the last entry's key.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default);

    /// <summary>
    /// Reads one page of the entries in a range into <paramref name="page"/>, replacing its contents. Pages follow the same rules as those of
    /// the overload that returns a list, but may end at different entries. Providers override this method to avoid allocating a list.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    async ValueTask ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, EntryPage page, CancellationToken cancellationToken = default)
    {
        page.Clear();
        foreach (var (key, value) in await ScanAsync(range, direction, maxEntries, cancellationToken).ConfigureAwait(false))
            page.Add(key.Span, value.Span);
    }

    /// <summary>
    /// Reads the entries of several keys into <paramref name="page"/>, in the order of the keys, replacing its contents. Keys that the store
    /// does not contain are skipped. Providers override this method if a combined lookup is faster, for example for ascending keys.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    async ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, CancellationToken cancellationToken = default)
    {
        page.Clear();
        foreach (var key in keys)
        {
            if (await GetAsync(key, cancellationToken).ConfigureAwait(false) is { } value)
                page.Add(key.Span, value.Span);
        }
    }

    /// <summary>Returns the number of entries in a range. Providers override this method if they can count without copying the entries.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    async ValueTask<long> CountAsync(KeyRange range, CancellationToken cancellationToken = default)
    {
        long count = 0;
        using var page = new EntryPage();
        for (var rest = range; ; rest = rest.After(page.KeyOf(page.Count - 1).ToArray()))
        {
            await ScanAsync(rest, ScanDirection.Forward, SkippedPage, page, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                return count;
            count += page.Count;
        }
    }

    /// <summary>
    /// Returns the key of the entry that comes after <paramref name="count"/> others in a range, in the given direction; <see langword="null"/> if the range has no more
    /// than these. Providers override this method if they can skip entries without copying them.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    async ValueTask<ReadOnlyMemory<byte>?> SkipAsync(KeyRange range, ScanDirection direction, long count, CancellationToken cancellationToken = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        using var page = new EntryPage();
        for (var rest = range; ; count -= page.Count)
        {
            await ScanAsync(rest, direction, (int)Math.Min(count + 1, SkippedPage), page, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                return null;
            if (count < page.Count)
                return page.KeyOf((int)count).ToArray();
            byte[] last = page.KeyOf(page.Count - 1).ToArray();
            rest = direction == ScanDirection.Forward ? rest.After(last) : rest.Before(last);
        }
    }
}
