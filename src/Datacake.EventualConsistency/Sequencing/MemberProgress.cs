using Datacake.Crdt;

namespace Datacake.EventualConsistency.Sequencing;

/// <summary>The progress of a member that follows a sequencer, as the sequencer knows it.</summary>
sealed class MemberProgress
{
    /// <summary>Gets or sets the life of the member's records [S9].</summary>
    public ulong Life { get; set; }

    /// <summary>Gets or sets the index of the next entry to send.</summary>
    public ulong Next { get; set; }

    /// <summary>Gets or sets the index up to which the member has everything, flushed.</summary>
    public ulong Match { get; set; }

    /// <summary>Gets or sets the newest round that the member has answered.</summary>
    public ulong Round { get; set; }

    /// <summary>Gets or sets the limit that the member keeps, flushed.</summary>
    public HlcTimestamp Limit { get; set; }

    /// <summary>Gets or sets the time of the last answer; null if there was none.</summary>
    public long? ContactAt { get; set; }

    /// <summary>Gets or sets the time at which entries were sent that are not answered yet; null if there are none.</summary>
    public long? SentAt { get; set; }

    /// <summary>Gets or sets the time at which the member was told of the base of the sequencer, which it has not taken over yet; null if there is none.</summary>
    public long? ToldBaseAt { get; set; }

    /// <summary>Gets or sets the session of the last answer.</summary>
    public long Session { get; set; }

    /// <summary>Gets or sets the greatest willingness that the member has told in the session: even if it may become a voter, odd if it must not.</summary>
    public ulong Willingness { get; set; }

    /// <summary>True if the member has said that it may become a voter.</summary>
    public bool MayVote => ContactAt is not null && Willingness % 2 == 0;

    /// <summary>True if the member has said that it must not vote.</summary>
    public bool MustNotVote => Willingness % 2 != 0;
}
