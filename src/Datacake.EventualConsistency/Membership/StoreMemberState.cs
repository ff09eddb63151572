namespace Datacake.EventualConsistency;

/// <summary>The state of one member, as the store of this node sees it.</summary>
/// <param name="NodeId">The node id.</param>
/// <param name="Address">The address that the member advertises; empty if it is not known.</param>
/// <param name="State">How the store stands with the member.</param>
/// <param name="HasJoined">True if the member's store is known to be part of the cluster; before, it counts for no level.</param>
/// <param name="Behind">
/// While the store catches up with the member: the time since the oldest transaction was made that the member has and this store lacks. Else
/// <see langword="null"/>.
/// </param>
/// <param name="Reason">Why there is no session, as a clause for a message, or <see langword="null"/>.</param>
public sealed record StoreMemberState(int NodeId, string Address, MemberConnection State, bool HasJoined, TimeSpan? Behind, string? Reason);
