namespace Datacake.Node;

/// <summary>What carries the gossip of a node. The same on all nodes of a cluster.</summary>
public enum GossipTransport
{
    /// <summary>The node's RPC links: one port, protected as they are. The default.</summary>
    Rpc,

    /// <summary>
    /// Datagrams on the UDP port of the same number as the node's TCP port, in the format of the Rust library chitchat 0.10, with which
    /// such a node can gossip. Not encrypted, not authenticated.
    /// </summary>
    Udp,
}
