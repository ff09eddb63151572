namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The sender of a request, who waits for a reply of the sequencer.</summary>
/// <param name="Node">The node, which may be the sequencer's own.</param>
/// <param name="Session">The session in which the request came; 0 on the own node.</param>
/// <param name="Attempt">The number under which the node waits.</param>
readonly record struct Requester(byte Node, long Session, ulong Attempt);
