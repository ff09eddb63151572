using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>A change of an entity among the results of a query. Its entities are separate instances, which no context tracks.</summary>
/// <param name="Kind">The kind of change.</param>
/// <param name="Key">The key of the entity in the store.</param>
/// <param name="Before">The entity before the change; null if it did not exist or is unknown.</param>
/// <param name="After">The entity after the change; null if it was deleted.</param>
public sealed record EntityChange<T>(EntityChangeKind Kind, DocumentKey Key, T? Before, T? After);
