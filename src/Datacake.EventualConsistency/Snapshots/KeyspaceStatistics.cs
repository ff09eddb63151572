namespace Datacake.EventualConsistency;

/// <summary>Figures of one keyspace of one replica, in one snapshot.</summary>
/// <param name="Name">The keyspace.</param>
/// <param name="Count">How many living documents it has.</param>
/// <param name="Fingerprint">A sum over everything that readers see in it: replicas that show the same have the same.</param>
public sealed record KeyspaceStatistics(string Name, long Count, UInt128 Fingerprint);
