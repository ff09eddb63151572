using Datacake.Crdt;
using Datacake.EventualConsistency;

namespace Datacake.Extensions.Caching.Records;

/// <summary>A tag of a value, and the last invalidation of it that the maker of the value knew.</summary>
/// <param name="Tag">The key of the tag's document.</param>
/// <param name="Known">The stamp of the invalidation; none if there was none.</param>
readonly record struct TagStamp(DocumentKey Tag, HlcTimestamp Known);
