using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A conversation with one life of a peer. Messages of an earlier session are ignored [R6].</summary>
/// <remarks>See PROTOCOL.md: peer, session.</remarks>
/// <param name="Id">The number of the session, unique within this process.</param>
/// <param name="IsDialer">True if this side has dialed.</param>
/// <param name="HelloNumber">The number of the peer's hello.</param>
/// <param name="Protocol">The version and the capabilities that both sides use.</param>
/// <param name="Boot">The peer's boot.</param>
/// <param name="StoreId">The peer's store id.</param>
/// <param name="Run">The peer's run, or none if the peer has not joined.</param>
/// <param name="ClockOffset">The lead of the peer's wall clock over this node's, according to its last hello or report.</param>
/// <param name="Ancestors">The stores that the peer's first data came from, according to its hello.</param>
/// <param name="RetiredDigest">The digest of the retired stores that the peer knows, according to its last hello or report.</param>
/// <param name="ReportTick">The tick at which the peer last reported, or null if it has not reported yet.</param>
readonly record struct Session(
    long Id, bool IsDialer, ulong HelloNumber, ProtocolVersion Protocol, ulong Boot, ulong StoreId, HlcTimestamp Run, TimeSpan ClockOffset,
    IReadOnlyList<ulong> Ancestors, ulong RetiredDigest, long? ReportTick = null);
