using System.Collections.Immutable;

namespace Datacake.Node.Membership;

/// <summary>The difference between two snapshots of the members, as a list of changes.</summary>
static class MembershipDifference
{
    /// <param name="before">The earlier snapshot, in ascending order of node ids.</param>
    /// <param name="after">The later snapshot, in ascending order of node ids. Unchanged members are the same objects as before.</param>
    public static IEnumerable<MembershipChange> Between(ImmutableArray<ClusterMember> before, ImmutableArray<ClusterMember> after)
    {
        var earlier = before.ToDictionary(member => member.NodeId);
        foreach (var member in after)
        {
            if (!earlier.Remove(member.NodeId, out var old))
                yield return new MembershipChange(MembershipChangeKind.Joined, member);
            else if (!ReferenceEquals(old, member))
                yield return new MembershipChange(KindOf(old, member), member);
        }
        foreach (var member in earlier.Values.OrderBy(member => member.NodeId))
            yield return new MembershipChange(MembershipChangeKind.Forgotten, member);
    }

    static MembershipChangeKind KindOf(ClusterMember old, ClusterMember member)
    {
        if (old.Generation != member.Generation)
            return MembershipChangeKind.Restarted;
        if (old.State == member.State)
            return MembershipChangeKind.Updated;
        return member.State switch
        {
            MemberState.Up => MembershipChangeKind.Up,
            MemberState.Down => MembershipChangeKind.Down,
            _ => MembershipChangeKind.Left,
        };
    }
}
