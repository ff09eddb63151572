using Datacake.Crdt;

namespace Datacake.Extensions.Caching.Records;

/// <summary>
/// The changes that the maker of a value knew when it began. A change that it did not know makes the value stale, whatever the clocks say: two nodes can give out stamps in the same
/// milliseconds, so that the last stamp that a node has seen says nothing about the stamps that it has not.
/// </summary>
/// <param name="Entry">The stamp of the entry's document; none if there was no document; null if the value was set, and so replaces whatever there is.</param>
/// <param name="Everything">The stamp of the last invalidation of all entries.</param>
/// <param name="Tags">The tags of the entry, and the last invalidation of each.</param>
sealed record Knowledge(HlcTimestamp? Entry, HlcTimestamp Everything, TagStamp[] Tags)
{
    /// <summary>Gets the knowledge of a maker that knew nothing.</summary>
    public static Knowledge None { get; } = new(null, HlcTimestamp.None, []);
}
