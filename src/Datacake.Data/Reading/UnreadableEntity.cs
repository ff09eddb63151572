using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>A stored entity that is not as its class declares it.</summary>
/// <param name="Key">The key of the entity.</param>
/// <param name="Reason">What cannot be read, and why, in a sentence.</param>
public readonly record struct UnreadableEntity(DocumentKey Key, string Reason);
