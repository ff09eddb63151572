namespace Datacake.EventualConsistency;

/// <summary>The state of one member, as seen by the store of this node.</summary>
/// <param name="NodeId">The node id of the member.</param>
/// <param name="Address">The address that the member advertises; empty if it is not known.</param>
/// <param name="State">The state of the connection with the member.</param>
/// <param name="HasJoined">
/// True if the member's store is known to be part of the cluster. Until then, it counts for no consistency level.
/// </param>
/// <param name="Behind">
/// The time since the oldest transaction that the member has and this store lacks, while the store catches up with the member; otherwise
/// <see langword="null"/>.
/// </param>
/// <param name="Reason">The reason why there is no session, as a clause for a message, or <see langword="null"/>.</param>
public sealed record StoreMemberState(int NodeId, string Address, MemberConnection State, bool HasJoined, TimeSpan? Behind, string? Reason);
