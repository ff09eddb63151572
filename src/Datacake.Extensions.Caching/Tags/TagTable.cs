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

    /// <summary>Gets the key of the document of the tag that all entries have.</summary>
    public static DocumentKey AllTag { get; } = CacheKeys.OfTag(CacheKeys.Everything);

    /// <summary>Returns the invalidations that a maker of a value knows now.</summary>
    /// <param name="entry">The stamp of the entry's document.</param>
    /// <param name="tags">The tags of the entry.</param>
    public Knowledge KnownOf(HlcTimestamp? entry, DocumentKey[]? tags) =>
        new(entry, new HlcTimestamp(Volatile.Read(ref _everything)), tags is null ? [] : Array.ConvertAll(tags, tag => new TagStamp(tag, _invalidated.GetValueOrDefault(tag))));

    /// <summary>Returns true if a value is valid: its maker knew the last invalidations of its tags.</summary>
    public bool IsValid(Knowledge known)
    {
        if (known.Everything.Packed < Volatile.Read(ref _everything))
            return false;
        if (_invalidated.IsEmpty)
            return true;
        foreach (var tag in known.Tags)
        {
            if (_invalidated.TryGetValue(tag.Tag, out var stamp) && tag.Known < stamp)
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

    /// <summary>Forgets an invalidation whose document has expired, because no entry from before it is left. A later one of the same tag stays.</summary>
    public void Forget(DocumentKey tag, HlcTimestamp stamp)
    {
        if (tag == AllTag)
        {
            ulong known = Volatile.Read(ref _everything);
            if (known <= stamp.Packed)
                Interlocked.CompareExchange(ref _everything, 0, known);
        }
        else if (_invalidated.TryGetValue(tag, out var known) && known <= stamp)
        {
            _invalidated.TryRemove(new KeyValuePair<DocumentKey, HlcTimestamp>(tag, known));
        }
    }

    /// <summary>Returns all invalidations.</summary>
    public Dictionary<DocumentKey, HlcTimestamp> ToDictionary() => new(_invalidated) { [AllTag] = new HlcTimestamp(Volatile.Read(ref _everything)) };
}
