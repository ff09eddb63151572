using System.Runtime.CompilerServices;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Layout;

/// <summary>Reads ranges of a snapshot to their end, page by page.</summary>
static class SnapshotReading
{
    const int PageSize = 500;

    public static async IAsyncEnumerable<StorageEntry> ReadAllAsync(
        this IStorageSnapshot snapshot, KeyRange range, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var page = await snapshot.ScanAsync(range, ScanDirection.Forward, PageSize, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                yield break;
            foreach (var entry in page)
                yield return entry;
            range = range.After(page[^1].Key);
        }
    }

    public static async IAsyncEnumerable<StorageEntry> ReadAllReverseAsync(
        this IStorageSnapshot snapshot, KeyRange range, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var page = await snapshot.ScanAsync(range, ScanDirection.Reverse, PageSize, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                yield break;
            foreach (var entry in page)
                yield return entry;
            range = range.Before(page[^1].Key);
        }
    }
}
