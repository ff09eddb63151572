using Datacake.Crdt;

namespace Datacake.EventualConsistency.Following;

/// <summary>A difference between two states of a member, encoded once for all of its followers.</summary>
/// <param name="Messages">The encoded messages, in order.</param>
/// <param name="Known">The known set of the state that the difference leads to.</param>
sealed record FeedStep(IReadOnlyList<byte[]> Messages, VersionVector Known)
{
    public long Length { get; } = Messages.Sum(static message => (long)message.Length);

    /// <summary>
    /// Returns true if a follower with a known set needs the step. A step from before the follower's own difference must not be sent: what it shows may have been deleted since, and the
    /// follower may have discarded the delete, which all members have.
    /// </summary>
    public bool IsNewTo(VersionVector known) => !known.Covers(Known);
}
