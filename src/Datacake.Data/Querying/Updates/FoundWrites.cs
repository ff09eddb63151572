using Datacake.EventualConsistency;

namespace Datacake.Data.Querying.Updates;

/// <summary>The writes to the entities that a query found.</summary>
/// <param name="Writes">The writes.</param>
/// <param name="Found">The number of entities.</param>
/// <param name="Last">The key of the last entity; null if there is none.</param>
/// <param name="IsWhole">True if there are no more entities; false if the writes have reached their maximum length.</param>
sealed record FoundWrites(UntrackedWrites Writes, int Found, DocumentKey? Last, bool IsWhole);
