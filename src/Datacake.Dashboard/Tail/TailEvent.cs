namespace Datacake.Dashboard.Tail;

/// <summary>A change, or a number of changes that were left out, as the browser receives it.</summary>
/// <param name="Kind">The kind, in lower case.</param>
/// <param name="Keyspace">The keyspace.</param>
/// <param name="Key">The key as JSON; null for a gap.</param>
/// <param name="Node">The node that wrote the change; null if it is not known.</param>
/// <param name="Time">The time at which it was written; null if it is not known.</param>
/// <param name="Text">The beginning of the document as JSON, or a message.</param>
/// <param name="Link">The address of the document; null for a gap.</param>
sealed record TailEvent(string Kind, string Keyspace, string? Key, int? Node, string? Time, string? Text, string? Link);
