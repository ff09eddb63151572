namespace Datacake.Storage;

/// <summary>
/// A consistent, read-only view of a store. Any number of threads may read it concurrently.
/// The keys and values that it returns stay valid until it is disposed.
/// </summary>
public interface IStorageSnapshot : IDisposable
{
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
}
