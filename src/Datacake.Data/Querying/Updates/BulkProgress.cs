using Datacake.EventualConsistency;

namespace Datacake.Data;

/// <summary>The progress of a change of many entities.</summary>
/// <param name="Found">The number of entities that were found, or read from the source, so far.</param>
/// <param name="Written">The number of entities that were written so far.</param>
/// <param name="Parts">The number of transactions that were committed so far.</param>
/// <param name="Position">The key of the last entity that the change has passed. All up to it are done.</param>
public sealed record BulkProgress(long Found, long Written, int Parts, DocumentKey Position);
