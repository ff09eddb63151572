using Datacake.Node.Diagnostics;
using Datacake.Node.Gossip;
using Microsoft.Extensions.Logging;

namespace Datacake.Node.Membership;

/// <summary>
/// A log of the nodes that publish another version of the node protocol. They are members, but may misunderstand the keys of this node, so
/// the difference is logged. Called by one thread at a time.
/// </summary>
sealed class OtherProtocols(ILogger logger)
{
    HashSet<(GossipId Peer, string Version)> _reported = [];

    /// <summary>Logs the differences that have begun or ended since the last call.</summary>
    public void Report(IList<NodeState> nodes, Func<GossipId, bool> isAlive)
    {
        var found = new HashSet<(GossipId Peer, string Version)>();
        foreach (var node in nodes)
        {
            if (node.TryGet(NodeKeys.Protocol, out var version) && version != NodeKeys.ProtocolVersion && isAlive(node.Id))
                found.Add((node.Id, version));
        }
        foreach (var (peer, version) in found.Except(_reported))
            NodeLog.OtherProtocol(logger, peer, version, NodeKeys.ProtocolVersion);
        foreach (var (peer, version) in _reported.Except(found))
            NodeLog.OtherProtocolGone(logger, peer, version);
        _reported = found;
    }
}
