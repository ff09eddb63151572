namespace Datacake.Administration.Contracts;

/// <summary>The last transaction of a node that a store knows.</summary>
/// <param name="NodeId">The node.</param>
/// <param name="Stamp">The stamp of the transaction.</param>
/// <param name="Time">The time of the stamp, by the clock of the cluster.</param>
sealed record LastStamp(int NodeId, string Stamp, DateTimeOffset Time);
