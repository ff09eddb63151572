using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>One of the two sides of a full reconcile [R13].</summary>
/// <param name="Knows">What it knows.</param>
/// <param name="Purged">The greatest stamp of what it may have purged without the other side knowing, or none.</param>
readonly record struct ReconciledSide(VersionVector Knows, HlcTimestamp Purged);
