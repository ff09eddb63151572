using System.Net;

namespace Datacake.Node.Gossip;

/// <summary>An address to open an exchange with.</summary>
/// <param name="Endpoint">The address that datagrams go to.</param>
/// <param name="Address">The address that a connection is opened to: the one that the node advertises, by name if it has one, or the endpoint.</param>
/// <param name="ServerName">The name that the certificate must be for; null for the host of the address.</param>
readonly record struct GossipTarget(IPEndPoint Endpoint, string Address, string? ServerName = null)
{
    public GossipTarget(IPEndPoint endpoint)
        : this(endpoint, endpoint.ToString())
    {
    }

    public override string ToString() => Address;
}
