namespace Datacake.Node;

/// <summary>
/// Chooses just enough nodes, from as many data centers as it can, others before the local one, and other nodes with every call, so
/// that an answer holds what other sites know and the load is spread. The default.
/// </summary>
/// <param name="start">Where in the rotation it begins.</param>
public sealed class DataCenterAwareSelector(int start = 0) : INodeSelector
{
    // Drawn from by every read on any thread.
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
    /// The first of each data center, the local one last, then the second of each, and so on; each list begins elsewhere with every
    /// turn.
    /// </summary>
    static IEnumerable<ClusterMember> InTurn(string localCenter, IReadOnlyList<ClusterMember> candidates, uint turn)
    {
        var centers = candidates
            .GroupBy(member => member.DataCenter)
            .OrderBy(center => center.Key, StringComparer.Ordinal)
            .Select(center => center.OrderBy(member => member.NodeId).ToArray())
            .ToArray();
        var others = Rotate(centers.Where(center => center[0].DataCenter != localCenter).ToArray(), turn);
        // The inner rotation goes on once the outer one is through; in step, they would pair the same centers with the same nodes for ever.
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
