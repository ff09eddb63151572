namespace Datacake.Storage;

/// <summary>
/// A consistent, read-only view of a store. Any number of threads may read it, one call at a time or at once.
/// Keys and values that it returns stay valid until it is disposed.
/// </summary>
public interface IStorageSnapshot : IDisposable
{
    /// <summary>The value of a key, or <see langword="null"/> if the store has no such key.</summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default);

    /// <summary>
    /// One page of the entries in a range, in the given direction. It holds at most <paramref name="maxEntries"/> entries, and may
    /// hold fewer; only an empty page means that the range has no (more) entries. The next page starts at
    /// <see cref="KeyRange.After"/> (forward) or <see cref="KeyRange.Before"/> (reverse) the last entry's key.
    /// </summary>
    /// <exception cref="StorageException">The store cannot be read.</exception>
    ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default);

    /// <summary>
    /// The same, into a page, whose former entries are gone. A provider overrides it to spare what a list of entries costs; its pages may end
    /// elsewhere.
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
    /// The entries of some keys, in their order, into a page, whose former entries are gone; a key that the store does not have is left out. A
    /// provider overrides it if it finds several at once faster than one after the other, as it may when the keys ascend.
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
