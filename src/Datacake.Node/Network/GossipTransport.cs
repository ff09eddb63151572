namespace Datacake.Node;

/// <summary>The transport of gossip. All nodes of a cluster must use the same one.</summary>
public enum GossipTransport
{
    /// <summary>RPC connections, on the node's TCP port and with the same protection as other calls. The default.</summary>
    Rpc,

    /// <summary>
    /// Datagrams on the UDP port with the same number as the node's TCP port. With a cluster secret, the datagrams are encrypted and
    /// authenticated with a key that is derived from the secret. TLS does not cover them, so a node with TLS but no secret does not start.
    /// Without either, the datagrams are unprotected, as with <see cref="PlainUdp"/>.
    /// </summary>
    Udp,

    /// <summary>
    /// Datagrams without any protection, even if the node has TLS or a cluster secret. They have the format of the Rust library chitchat
    /// 0.10, so the node can gossip with chitchat nodes. Anyone who can reach the port can read the members and their labels, make up
    /// nodes, and make live nodes appear dead.
    /// </summary>
    PlainUdp,
}
