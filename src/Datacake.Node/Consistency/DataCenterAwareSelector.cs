namespace Datacake.Node;

/// <summary>
/// The default selector. It chooses the minimum number of nodes from as many data centers as possible and prefers remote data centers to
/// the local one, so that answers include what remote sites know. The chosen nodes rotate with every call to spread the load.
/// </summary>
/// <param name="start">The initial position in the rotation.</param>
public sealed class DataCenterAwareSelector(int start = 0) : INodeSelector
{
    // Incremented by every read, on any thread.
    int _turn = start;

    /// <inheritdoc/>
    public IReadOnlyList<ClusterMember> Choose(
        ConsistencyRequirement requirement, ClusterMember local, IReadOnlyList<ClusterMember> candidates)
    {
        var turn = (uint)Interlocked.Increment(ref _turn);
        var chosen = new List<ClusterMember>();
        var acknowledged = default(NodeSet);
        foreach (var candidate in InTurn(local.DataCenter, candidates, turn))
        {
            if (requirement.IsSatisfiedBy(acknowledged))
                break;
            if (!requirement.IsNeeded(candidate.NodeId, acknowledged))
                continue;
            acknowledged = acknowledged.With(candidate.NodeId);
            chosen.Add(candidate);
        }
        return chosen;
    }

    /// <summary>
    /// Returns the first node of each data center, with the local data center last, then the second node of each, and so on. The order of
    /// the remote data centers, and of the nodes in each data center, rotates with the turns.
    /// </summary>
    static IEnumerable<ClusterMember> InTurn(string localCenter, IReadOnlyList<ClusterMember> candidates, uint turn)
    {
        var centers = candidates
            .GroupBy(member => member.DataCenter)
            .OrderBy(center => center.Key, StringComparer.Ordinal)
            .Select(center => center.OrderBy(member => member.NodeId).ToArray())
            .ToArray();
        var others = Rotate(centers.Where(center => center[0].DataCenter != localCenter).ToArray(), turn);
        // The inner rotation advances only when the outer one is complete. If both advanced in step, each data center would always offer the
        // same nodes whenever it comes first.
        var innerTurn = turn / (uint)Math.Max(1, others.Length);
        ClusterMember[][] inOrder = [.. others, .. centers.Where(center => center[0].DataCenter == localCenter)];
        inOrder = [.. inOrder.Select(center => Rotate(center, innerTurn))];
        for (var rank = 0; inOrder.Any(center => rank < center.Length); rank++)
            foreach (var center in inOrder)
                if (rank < center.Length)
                    yield return center[rank];
    }

    static T[] Rotate<T>(T[] items, uint turn)
    {
        if (items.Length == 0)
            return items;
        var first = (int)(turn % (uint)items.Length);
        return [.. items[first..], .. items[..first]];
    }
}
