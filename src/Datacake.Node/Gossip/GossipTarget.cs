using System.Net;

namespace Datacake.Node.Gossip;

/// <summary>The target of an exchange.</summary>
/// <param name="Endpoint">The endpoint to which datagrams are sent.</param>
/// <param name="Address">
/// The address to which connections are opened: the advertised address of the node, which may contain a name, or the endpoint.
/// </param>
/// <param name="ServerName">The name that the server's certificate must contain; null for the host of the address.</param>
readonly record struct GossipTarget(IPEndPoint Endpoint, string Address, string? ServerName = null)
{
    public GossipTarget(IPEndPoint endpoint)
        : this(endpoint, endpoint.ToString())
    {
    }

    public override string ToString() => Address;
}
