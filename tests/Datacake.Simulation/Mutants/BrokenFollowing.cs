using Datacake.Crdt;
using Datacake.EventualConsistency.Replication.Messages;

namespace Datacake.Simulation.Mutants;

sealed class FollowersTakeOldSteps() : Mutant("R21: a follower is sent steps of the feed from before its own difference, and takes what is older than what it has discarded")
{
    public override string? Theme => "followers";

    public override bool FeedsFromTheStart => true;

    public override bool SendsOldSteps => true;

    public override ReplicaMessage OnFollowing(ReplicaMessage message) => AsIfKnowing(message);

    /// <summary>Returns a difference as if the source knew everything, so that the follower does not see that it is too old.</summary>
    public static ReplicaMessage AsIfKnowing(ReplicaMessage message) => message is Chunk chunk ? chunk with { Source = Everything(chunk.Source) } : message;

    static VersionVector Everything(VersionVector known) => Enumerable.Range(1, 16).Aggregate(
        known, static (all, node) => all.Union((byte)node, HlcTimestamp.None, new HlcTimestamp((ulong.MaxValue & ~0xFFUL) | (byte)node)));
}

sealed class SourcesNeverDecline() : Mutant("R21, R8: a source answers a follower that has discarded what the source does not know, and the follower takes the answer")
{
    public override string? Theme => "followers estranged";

    public override bool AnswersAnyFollower => true;

    public override ReplicaMessage OnFollowing(ReplicaMessage message) => FollowersTakeOldSteps.AsIfKnowing(message);
}

sealed class CopiesAreMerged() : Mutant("R21: a new copy is merged with the old one instead of replacing it")
{
    public override string? Theme => "followers";

    public override bool MergesCopies => true;
}

sealed class FollowersNeverCompare() : Mutant("R21: a follower does not compare what it shows with its source")
{
    public override string? Theme => "followers of the lost";

    public override bool NeverCompares => true;
}

sealed class FeedsLeaveOut() : Mutant("R21: a follower takes its place in the feed after its own difference is read")
{
    public override string? Theme => "followers";

    public override bool TakesPlaceLate => true;
}

sealed class FollowersClaimAtOnce() : Mutant("R21, R9: the first part of a difference claims all of it")
{
    public override string? Theme => "followers";

    public override ReplicaMessage OnFollowing(ReplicaMessage message) => message is Chunk chunk ? chunk with { Claims = chunk.Source } : message;
}
