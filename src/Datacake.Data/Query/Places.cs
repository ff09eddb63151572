using Datacake.EventualConsistency;
using Datacake.Storage;

namespace Datacake.Data.Querying;

/// <summary>
/// The places of a store that are looked at for a path: keys, or ranges of keys or of an index, in order and apart. Where they are more than the
/// documents, all between the first and the last is read instead, and what is at none of them passed over.
/// </summary>
static class Places
{
    /// <summary>So many are looked at in any case.</summary>
    public const int Many = 1_000;

    /// <summary>Whether to read all between them is less work. A look for one costs about as much as it costs to read on by two documents.</summary>
    public static async ValueTask<bool> IsLessBetweenAsync(StoreSnapshot snapshot, string keyspace, int places, CancellationToken cancellationToken) =>
        places > Many && (await snapshot.GetStatisticsAsync(keyspace, cancellationToken).ConfigureAwait(false)).Count < 2L * places;

    public static KeyRange Between(IReadOnlyList<KeyRange> ranges) => new(ranges[0].Start, ranges[^1].End);

    public static KeyRange Between(IReadOnlyList<DocumentKey> keys) => new(keys[0].Encoded, KeyRange.All.After(keys[^1].Encoded).Start);

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

    /// <summary>The last one that does not start after a position, or -1.</summary>
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
