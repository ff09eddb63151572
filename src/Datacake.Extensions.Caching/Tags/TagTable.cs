using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Records;

namespace Datacake.Extensions.Caching.Tags;

/// <summary>The invalidations of tags that this node knows: the stamp of the last one for each tag. Thread-safe.</summary>
sealed class TagTable
{
    readonly ConcurrentDictionary<DocumentKey, HlcTimestamp> _invalidated = [];
    ulong _everything;              // the stamp at which all entries were invalidated

    /// <summary>Gets the number of tags with an invalidation that is remembered.</summary>
    public int Count => _invalidated.Count;

    /// <summary>Returns true if a value is valid: its maker knew the last invalidations of its tags when it began.</summary>
    public bool IsValid(HlcTimestamp origin, DocumentKey[]? tags)
    {
        if (origin.Packed < Volatile.Read(ref _everything))
            return false;
        if (tags is null || _invalidated.IsEmpty)
            return true;
        foreach (var tag in tags)
        {
            if (_invalidated.TryGetValue(tag, out var stamp) && origin < stamp)
                return false;
        }
        return true;
    }

    public void Invalidate(DocumentKey tag, HlcTimestamp stamp)
    {
        if (tag == AllTag)
        {
            ulong known;
            while ((known = Volatile.Read(ref _everything)) < stamp.Packed)
                Interlocked.CompareExchange(ref _everything, stamp.Packed, known);
        }
        else
        {
            _invalidated.AddOrUpdate(tag, static (_, later) => later, static (_, known, later) => HlcTimestamp.Max(known, later), stamp);
        }
    }

    /// <summary>Forgets an invalidation whose document has expired, because no entry from before it is left.</summary>
    public void Forget(DocumentKey tag) => _invalidated.TryRemove(tag, out _);

    /// <summary>Gets the key of the document of the tag that all entries have.</summary>
    public static DocumentKey AllTag { get; } = CacheKeys.OfTag(CacheKeys.Everything);
}
