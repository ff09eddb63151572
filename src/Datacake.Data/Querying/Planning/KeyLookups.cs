using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Snapshots;
using Datacake.Storage;

namespace Datacake.Data.Querying.Planning;

/// <summary>
/// The lookups of an access path: keys, or ranges of keys or of an index, in ascending order and without overlap. If there are many
/// compared with the number of documents, one scan of the whole range is cheaper, which skips the entries between the lookups.
/// </summary>
static class KeyLookups
{
    /// <summary>The number of lookups that are always carried out one by one.</summary>
    public const int MinCountToCompare = 1_000;

    /// <summary>
    /// Returns true if one scan of the whole range is cheaper. A lookup costs about as much as reading two documents of a scan.
    /// </summary>
    public static async ValueTask<bool> IsScanCheaperAsync(StoreSnapshot snapshot, string keyspace, int count, CancellationToken cancellationToken) =>
        count > MinCountToCompare && (await snapshot.GetStatisticsAsync(keyspace, cancellationToken).ConfigureAwait(false)).Count < 2L * count;

    public static KeyRange EnclosingRange(IReadOnlyList<KeyRange> ranges) => new(ranges[0].Start, ranges[^1].End);

    public static KeyRange EnclosingRange(IReadOnlyList<DocumentKey> keys) => new(keys[0].Encoded, KeyRange.All.After(keys[^1].Encoded).Start);

    public static bool Contain(IReadOnlyList<KeyRange> ranges, ReadOnlySpan<byte> position)
    {
        int last = LastUpTo(position, ranges.Count, i => ranges[i].Start);
        return last >= 0 && ranges[last].Contains(position);
    }

    public static bool Contain(IReadOnlyList<DocumentKey> keys, ReadOnlySpan<byte> key)
    {
        int last = LastUpTo(key, keys.Count, i => keys[i].Encoded);
        return last >= 0 && keys[last].Encoded.Span.SequenceEqual(key);
    }

    /// <summary>Returns the index of the last lookup that does not start after a position, or -1.</summary>
    static int LastUpTo(ReadOnlySpan<byte> position, int count, Func<int, ReadOnlyMemory<byte>> start)
    {
        int low = 0, high = count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (start(middle).Span.SequenceCompareTo(position) <= 0)
                low = middle + 1;
            else
                high = middle;
        }
        return low - 1;
    }
}
