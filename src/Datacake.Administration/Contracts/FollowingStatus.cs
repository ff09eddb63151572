namespace Datacake.Administration;

/// <summary>The connection of a follower to the member that it follows.</summary>
/// <param name="IsConnected">True if the follower is connected to a member.</param>
/// <param name="NodeId">The node that the store follows, or followed last; null before the first connection.</param>
/// <param name="Address">The address of that node.</param>
/// <param name="Since">The time at which the connection was opened or was lost.</param>
/// <param name="BehindSeconds">The time since the follower last had everything that its member had; null if it has not had that since it was opened.</param>
/// <param name="Failure">The reason why the follower is not connected, as a clause; null if it is.</param>
public sealed record FollowingStatus(bool IsConnected, int? NodeId, string? Address, DateTimeOffset Since, double? BehindSeconds, string? Failure);
