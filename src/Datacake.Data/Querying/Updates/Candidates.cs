using Datacake.Data.Querying.Planning;
using Datacake.EventualConsistency;
using Datacake.Storage;

namespace Datacake.Data.Querying.Updates;

/// <summary>The entities that may be results of a query, in the order of their keys: ranges of keys, or the keys themselves. Immutable.</summary>
/// <param name="path">A scan of keys or a lookup.</param>
sealed class Candidates(AccessPath path)
{
    public static Candidates None { get; } = new(new KeyLookup([]));

    public AccessPath Path => path;

    public bool IsEmpty => path is KeyLookup { Keys.Count: 0 } or KeyScan { Keys.Count: 0 };

    /// <summary>Gets the key of the last candidate; null if it is not known, because the candidates are ranges.</summary>
    public DocumentKey? Last => path is KeyLookup { Keys: [.., var last] } ? last : default(DocumentKey?);

    /// <summary>Returns no more than a number of keys from the start, or all ranges.</summary>
    public Candidates First(int count) => path is KeyLookup lookup && lookup.Keys.Count > count ? new(new KeyLookup([.. lookup.Keys.Take(count)])) : this;

    /// <summary>Returns the candidates after a key.</summary>
    public Candidates After(DocumentKey key) => new(path switch
    {
        KeyLookup lookup => new KeyLookup(After(lookup.Keys, key)),
        KeyScan scan => new KeyScan([.. scan.Keys.Select(range => After(range, key)).Where(static range => !range.IsEmpty)], ScanDirection.Forward),
        _ => throw new InvalidOperationException($"The access path '{path}' is not in the order of the keys."),
    });

    static ArraySegment<DocumentKey> After(IReadOnlyList<DocumentKey> keys, DocumentKey key)
    {
        var all = keys is ArraySegment<DocumentKey> segment ? segment : new ArraySegment<DocumentKey>([.. keys]);
        int next = all.AsSpan().BinarySearch(key);
        return all[(next < 0 ? ~next : next + 1)..];
    }

    static KeyRange After(KeyRange range, DocumentKey key) => range.Start.Span.SequenceCompareTo(key.Encoded.Span) > 0 ? range : range.After(key.Encoded);
}
