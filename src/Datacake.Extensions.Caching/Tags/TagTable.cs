using System.Collections.Concurrent;
using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Records;

namespace Datacake.Extensions.Caching.Tags;

/// <summary>The invalidations of tags that this node knows: the stamp of the last one for each tag. Thread-safe.</summary>
sealed class TagTable
{
    readonly ConcurrentDictionary<DocumentKey, Invalidation> _invalidated = [];
    ulong _everything;              // the stamp at which all entries were invalidated
    long _everythingArrival;
    long _arrivals;

    /// <summary>Gets the number of tags with an invalidation that is remembered.</summary>
    public int Count => _invalidated.Count;

    /// <summary>Gets the key of the document of the tag that all entries have.</summary>
    public static DocumentKey AllTag { get; } = CacheKeys.OfTag(CacheKeys.Everything);

    /// <summary>Gets the number of invalidations that have arrived at this node.</summary>
    public long Arrivals => Interlocked.Read(ref _arrivals);

    /// <summary>Returns the invalidations that a maker of a value knows now.</summary>
    /// <param name="entry">The stamp of the entry's document.</param>
    /// <param name="tags">The tags of the entry.</param>
    public Knowledge KnownOf(HlcTimestamp? entry, DocumentKey[]? tags) =>
        new(entry, new HlcTimestamp(Volatile.Read(ref _everything)), tags is null ? [] : Array.ConvertAll(tags, tag => new TagStamp(tag, _invalidated.GetValueOrDefault(tag).Stamp)));

    /// <summary>
    /// Returns the invalidations that a maker knew when it began, although its tags were not known then; null if one of them was invalidated since.
    /// </summary>
    /// <param name="arrivals">The value of <see cref="Arrivals"/> when it began.</param>
    /// <param name="tags">The tags of the entry.</param>
    public Knowledge? KnownSince(long arrivals, DocumentKey[]? tags)
    {
        var known = KnownOf(entry: null, tags);
        bool isLater = Interlocked.Read(ref _everythingArrival) > arrivals || known.Tags.Any(tag => _invalidated.GetValueOrDefault(tag.Tag).Arrival > arrivals);
        return isLater ? null : known;
    }

    /// <summary>Returns true if a value is valid: its maker knew the last invalidations of its tags.</summary>
    public bool IsValid(Knowledge known)
    {
        if (known.Everything.Packed < Volatile.Read(ref _everything))
            return false;
        if (_invalidated.IsEmpty)
            return true;
        foreach (var tag in known.Tags)
        {
            if (_invalidated.TryGetValue(tag.Tag, out var last) && tag.Known < last.Stamp)
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
            {
                // Before the stamp: who sees the stamp sees that it has arrived.
                Interlocked.Exchange(ref _everythingArrival, Interlocked.Increment(ref _arrivals));
                Interlocked.CompareExchange(ref _everything, stamp.Packed, known);
            }
        }
        else if (_invalidated.GetValueOrDefault(tag).Stamp < stamp)
        {
            var invalidation = new Invalidation(stamp, Interlocked.Increment(ref _arrivals));
            _invalidated.AddOrUpdate(tag, static (_, later) => later, static (_, known, later) => known.Stamp < later.Stamp ? later : known, invalidation);
        }
    }

    /// <summary>Forgets an invalidation whose document has expired, because no entry from before it is left. A later one of the same tag stays.</summary>
    public void Forget(DocumentKey tag, HlcTimestamp stamp)
    {
        if (tag == AllTag)
        {
            ulong known = Volatile.Read(ref _everything);
            if (known <= stamp.Packed)
                Interlocked.CompareExchange(ref _everything, 0, known);
        }
        else if (_invalidated.TryGetValue(tag, out var known) && known.Stamp <= stamp)
        {
            _invalidated.TryRemove(new KeyValuePair<DocumentKey, Invalidation>(tag, known));
        }
    }

    /// <summary>Returns all invalidations.</summary>
    public Dictionary<DocumentKey, HlcTimestamp> ToDictionary() =>
        new(_invalidated.Select(static pair => KeyValuePair.Create(pair.Key, pair.Value.Stamp))) { [AllTag] = new HlcTimestamp(Volatile.Read(ref _everything)) };

    /// <summary>The last invalidation of a tag.</summary>
    /// <param name="Stamp">The stamp of the tag's document.</param>
    /// <param name="Arrival">The number of the invalidation among those that have arrived at this node.</param>
    readonly record struct Invalidation(HlcTimestamp Stamp, long Arrival);
}
