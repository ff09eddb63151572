using Datacake.Crdt;

namespace Datacake.EventualConsistency.Replication;

/// <summary>One side of a full reconcile [R13].</summary>
/// <param name="Knows">The known set of the side.</param>
/// <param name="Purged">The greatest stamp of anything that the side may have purged without the other side knowing, or none.</param>
/// <param name="Serial">The stamp of the last serial transaction that the side shows, or none [S10].</param>
readonly record struct ReconciledSide(VersionVector Knows, HlcTimestamp Purged, HlcTimestamp Serial);
