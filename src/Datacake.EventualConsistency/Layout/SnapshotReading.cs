using System.Runtime.CompilerServices;
using Datacake.Storage;

namespace Datacake.EventualConsistency.Layout;

/// <summary>Methods that read ranges of a snapshot to the end, page by page.</summary>
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

    /// <summary>Returns the keys of a range, page by page, even if their values are damaged.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadKeysAsync(
        this IStorageSnapshot snapshot, KeyRange range, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var page = await ScanKeysAsync(snapshot, range, PageSize, cancellationToken).ConfigureAwait(false);
            if (page.Count == 0)
                yield break;
            foreach (var key in page)
                yield return key;
            range = range.After(page[^1]);
        }
    }

    /// <summary>Returns a page of the keys in a range, in ascending order. An empty page is the end.</summary>
    public static async ValueTask<IReadOnlyList<ReadOnlyMemory<byte>>> ScanKeysAsync(
        IStorageSnapshot snapshot, KeyRange range, int maxKeys, CancellationToken cancellationToken)
    {
        if (snapshot is IKeyReader reader)
            return await reader.ScanKeysAsync(range, maxKeys, cancellationToken).ConfigureAwait(false);
        var page = await snapshot.ScanAsync(range, ScanDirection.Forward, maxKeys, cancellationToken).ConfigureAwait(false);
        return [.. page.Select(entry => entry.Key)];
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
