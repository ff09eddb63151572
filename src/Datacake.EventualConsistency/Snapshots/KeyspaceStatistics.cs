namespace Datacake.EventualConsistency;

/// <summary>The statistics of one keyspace of one replica, in one snapshot.</summary>
/// <param name="Name">The keyspace.</param>
/// <param name="Count">The number of live documents.</param>
/// <param name="Fingerprint">
/// A sum over everything that readers see in the keyspace. Replicas that show the same data have the same fingerprint.
/// </param>
public sealed record KeyspaceStatistics(string Name, long Count, UInt128 Fingerprint);
