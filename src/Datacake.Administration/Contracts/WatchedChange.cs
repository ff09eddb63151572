using System.Text.Json;

namespace Datacake.Administration;

/// <summary>A change of a document, as a watch of a keyspace delivers it.</summary>
/// <param name="Kind">The kind of the change.</param>
/// <param name="Key">The key of the document; null for a gap.</param>
/// <param name="NodeId">The node that wrote the change; null if it is not known.</param>
/// <param name="WrittenAt">The time at which it was written, by the clock of the cluster; null if it is not known.</param>
/// <param name="Document">The document after the change; null if it was deleted.</param>
public sealed record WatchedChange(WatchedChangeKind Kind, JsonElement? Key, int? NodeId, DateTimeOffset? WrittenAt, JsonElement? Document);
