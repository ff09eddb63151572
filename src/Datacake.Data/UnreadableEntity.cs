using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>A stored entity that does not match its class and so cannot be read.</summary>
/// <param name="Key">The key of the entity.</param>
/// <param name="Reason">The reason, in one or more sentences.</param>
public readonly record struct UnreadableEntity(DocumentKey Key, string Reason);
