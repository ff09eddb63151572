namespace Datacake.EventualConsistency;

/// <summary>The state of a store that follows members of its cluster.</summary>
/// <param name="IsConnected">True if the store is connected to a member, and so shows what that member shows, with a short delay.</param>
/// <param name="NodeId">The node that the store follows, or followed last; null before the first connection.</param>
/// <param name="Address">The address of that node.</param>
/// <param name="Since">The time at which the connection was opened or was lost.</param>
/// <param name="Failure">The reason why the store is not connected, as a clause; null if it is.</param>
public sealed record FollowStatus(bool IsConnected, byte? NodeId, string? Address, DateTimeOffset Since, string? Failure)
{
    /// <summary>
    /// Gets the time since the store last had everything that its member had at that moment, up to a second while it keeps up; null if it has not had that since it was opened. What the store
    /// shows is at most so old.
    /// </summary>
    public TimeSpan? Behind { get; init; }
}
