using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A session that the replica has ended: its stream has to be closed on this side, and the peer be told why [R6].</summary>
/// <param name="Peer">The other side.</param>
/// <param name="Session">The session's id on this side.</param>
/// <param name="Refusal">What the peer is told before the stream closes.</param>
readonly record struct EndedSession(byte Peer, long Session, Refusal Refusal);
