namespace Datacake.EventualConsistency.Replication;

/// <summary>A conversation with one life of a peer: messages of an earlier one are ignored [R6].</summary>
/// <param name="Id">Tells this session from every other of this process.</param>
/// <param name="Boot">The life of the peer's process.</param>
/// <param name="StoreId">The life of the peer's disk.</param>
/// <param name="Ancestors">The stores that the peer's first data came from, as its hello says.</param>
readonly record struct Session(long Id, ulong Boot, ulong StoreId, IReadOnlyList<ulong> Ancestors);
