namespace Datacake.Node;

/// <summary>What carries the gossip of a node. The same on all nodes of a cluster.</summary>
public enum GossipTransport
{
    /// <summary>The node's RPC links: one port, protected as they are. The default.</summary>
    Rpc,

    /// <summary>
    /// Datagrams on the UDP port of the same number as the node's TCP port. With a cluster secret, they are encrypted and authenticated with a key that follows
    /// from it. TLS does not cover them: with TLS and without a secret, the node does not start. Without both, they are as those of <see cref="PlainUdp"/>.
    /// </summary>
    Udp,

    /// <summary>
    /// The same without any protection, whatever TLS and the secret protect otherwise, in the format of the Rust library chitchat 0.10, with which such a node can
    /// gossip. Whoever reaches the port can read the members and their labels, make up nodes, and have nodes taken for dead.
    /// </summary>
    PlainUdp,
}
