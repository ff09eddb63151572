using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A conversation with one life of a peer: messages of an earlier one are ignored [R6].</summary>
/// <param name="Id">Tells this session from every other of this process.</param>
/// <param name="IsDialer">True if this side has dialed.</param>
/// <param name="HelloNumber">The number of the peer's hello.</param>
/// <param name="Protocol">What both sides speak.</param>
/// <param name="Boot">The life of the peer's process.</param>
/// <param name="StoreId">The life of the peer's disk.</param>
/// <param name="Run">The peer's run, or none if it had not joined.</param>
/// <param name="ClockOffset">How far the peer's wall clock was ahead of this node's, by its last hello or report.</param>
/// <param name="Ancestors">The stores that the peer's first data came from, as its hello says.</param>
/// <param name="RetiredDigest">The digest of the retired stores that the peer knows, by its last hello or report.</param>
/// <param name="ReportTick">The tick at which the peer has last reported, or null if it has not.</param>
readonly record struct Session(
    long Id, bool IsDialer, ulong HelloNumber, ProtocolVersion Protocol, ulong Boot, ulong StoreId, HlcTimestamp Run, TimeSpan ClockOffset,
    IReadOnlyList<ulong> Ancestors, ulong RetiredDigest, long? ReportTick = null);
