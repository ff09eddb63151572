using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.EventualConsistency.Replication;

/// <summary>A message to send once the batch that caused it is committed.</summary>
/// <param name="Peer">The receiver, or <see langword="null"/> for all with whom a session is open.</param>
/// <param name="Session">The session to send it in; a message of a closed one is dropped. 0 where <see cref="Peer"/> is null.</param>
/// <param name="Message">The message.</param>
readonly record struct Outgoing(byte? Peer, long Session, ReplicaMessage Message);
