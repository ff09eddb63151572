using Datacake.Storage;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// A snapshot for long work that must not hold up short work. Embedded storage completes each read synchronously, so that a long reader
/// would keep its pool thread all the time. This snapshot yields the thread after every few reads, so that other work in the queue of the
/// pool runs first. Used by one caller at a time.
/// </summary>
sealed class YieldingSnapshot(IStorageSnapshot snapshot) : IStorageSnapshot
{
    // About 100 small documents, which take less than half a millisecond. Compared with that, the cost of yielding is negligible.
    const int MaxReads = 4;

    int _reads;

    public async ValueTask<ReadOnlyMemory<byte>?> GetAsync(ReadOnlyMemory<byte> key, CancellationToken cancellationToken = default)
    {
        await YieldAsync().ConfigureAwait(false);
        return await snapshot.GetAsync(key, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<IReadOnlyList<StorageEntry>> ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, CancellationToken cancellationToken = default)
    {
        await YieldAsync().ConfigureAwait(false);
        return await snapshot.ScanAsync(range, direction, maxEntries, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask ScanAsync(
        KeyRange range, ScanDirection direction, int maxEntries, EntryPage page, CancellationToken cancellationToken = default)
    {
        await YieldAsync().ConfigureAwait(false);
        await snapshot.ScanAsync(range, direction, maxEntries, page, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask GetManyAsync(IReadOnlyList<ReadOnlyMemory<byte>> keys, EntryPage page, CancellationToken cancellationToken = default)
    {
        await YieldAsync().ConfigureAwait(false);
        await snapshot.GetManyAsync(keys, page, cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => snapshot.Dispose();

    async ValueTask YieldAsync()
    {
        if (++_reads < MaxReads)
            return;
        _reads = 0;
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
    }
}
