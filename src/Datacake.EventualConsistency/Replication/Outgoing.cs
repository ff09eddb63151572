using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A message to send once the batch that produced it is committed.</summary>
/// <param name="Peer">The receiver, or <see langword="null"/> for all peers in session.</param>
/// <param name="Session">
/// The session in which to send the message; it is dropped if that session is closed. 0 if <see cref="Peer"/> is null.
/// </param>
/// <param name="Message">The message.</param>
readonly record struct Outgoing(byte? Peer, long Session, ReplicaMessage Message);
