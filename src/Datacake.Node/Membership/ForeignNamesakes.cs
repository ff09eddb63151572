using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Membership;

/// <summary>
/// A log of the nodes of another implementation that use the id of a Datacake node. Such nodes are not members, but they do not refuse
/// the other node, so the conflict can only be logged. Called by one thread at a time.
/// </summary>
sealed class ForeignNamesakes(ILogger logger)
{
    HashSet<GossipId> _reported = [];

    /// <summary>Logs the conflicts that have begun or ended since the last call.</summary>
    public void Report(IList<NodeState> nodes, Func<GossipId, bool> isAlive)
    {
        var ours = nodes.Where(IsOurs).Select(node => node.Id.NodeId).ToHashSet();
        // A node whose keys have not arrived yet may belong to either implementation.
        var found = nodes
            .Where(node => node.MaxVersion > 0 && !IsOurs(node) && node.Id.NodeId is { } nodeId && ours.Contains(nodeId) && isAlive(node.Id))
            .Select(node => node.Id)
            .ToHashSet();
        foreach (var id in found.Except(_reported))
            NodeLog.ForeignNamesake(logger, id, id.NodeId!.Value);
        foreach (var id in _reported.Except(found))
            NodeLog.ForeignNamesakeGone(logger, id);
        _reported = found;
    }

    static bool IsOurs(NodeState node) => node.TryGet(NodeKeys.Protocol, out _);
}
