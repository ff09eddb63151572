using System.Net;
using System.Net.Sockets;
using Datacake.Node.Gossip;

namespace Datacake.Node.Network;

/// <summary>A method that resolves a host name to IP addresses.</summary>
/// <exception cref="SocketException">The name cannot be resolved.</exception>
delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);

/// <summary>The resolution of addresses to endpoints.</summary>
static class HostNames
{
    /// <summary>Resolves an address of the form <c>host:port</c> to one or more endpoints.</summary>
    /// <exception cref="SocketException">The host name cannot be resolved.</exception>
    public static async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(string address, HostResolver resolve, CancellationToken cancellationToken)
    {
        if (!NodeAddress.TryParse(address, out var host, out var port))
            throw new SocketException((int)SocketError.HostNotFound);
        if (IPAddress.TryParse(host, out var ip))
            return [new IPEndPoint(ip, port)];
        var addresses = await resolve(host, cancellationToken).ConfigureAwait(false);
        if (addresses.Length == 0)
            throw new SocketException((int)SocketError.NoData);
        // IPv4 comes first, so that a name with addresses of both families leads to the same identity at every start.
        return
        [
            .. addresses.Distinct()
                .OrderBy(found => found.AddressFamily != AddressFamily.InterNetwork)
                .Select(found => new IPEndPoint(found, port)),
        ];
    }
}
