using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>What became of an entity among the results of a query. Its entities are instances of their own, which no context tracks.</summary>
/// <param name="Kind">What became of it.</param>
/// <param name="Key">Its key in the store.</param>
/// <param name="Before">The entity before; null if it was not there, or if it is not known what it was.</param>
/// <param name="After">The entity after; null if it was deleted.</param>
public sealed record EntityChange<T>(EntityChangeKind Kind, DocumentKey Key, T? Before, T? After);
