using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>
/// A session that the replica has ended: its stream must be closed on this side, and the peer must be told the reason [R6].
/// </summary>
/// <param name="Peer">The peer of the session.</param>
/// <param name="Session">The session's id on this side.</param>
/// <param name="Refusal">The message that the peer is sent before the stream closes.</param>
readonly record struct EndedSession(byte Peer, long Session, Refusal Refusal);
