namespace Datacake.Administration;

/// <summary>A member of the cluster, as one node sees it.</summary>
/// <param name="NodeId">The id of the member.</param>
/// <param name="Address">The address that the member advertises; empty if it is not known.</param>
/// <param name="DataCenter">The data center of the member; empty if it is not known.</param>
/// <param name="Connection">
/// The connection: <c>Local</c>, <c>InSession</c>, <c>CatchingUp</c>, <c>NoSession</c>, <c>Refused</c>, <c>Down</c>, <c>Unseen</c>, <c>Left</c> or <c>Retired</c>.
/// </param>
/// <param name="HasJoined">True if the member's store is part of the cluster and counts for consistency levels.</param>
/// <param name="BehindSeconds">How far this node is behind the member, while it catches up with it; otherwise null.</param>
/// <param name="Suspicion">The suspicion that the member has failed (φ); null if it is not known.</param>
/// <param name="ClockOffsetSeconds">The wall clock of the member minus that of this node; null if it is not known.</param>
/// <param name="Version">The version of Datacake that the member runs; null if it does not say.</param>
/// <param name="Reason">The reason why there is no session; null if there is one.</param>
public sealed record MemberStatus(
    int NodeId, string Address, string DataCenter, string Connection, bool HasJoined, double? BehindSeconds, double? Suspicion, double? ClockOffsetSeconds,
    string? Version, string? Reason);
