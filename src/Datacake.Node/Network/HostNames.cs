using System.Net;
using System.Net.Sockets;

namespace Datacake.Node;

/// <summary>Looks up the addresses that a host name stands for.</summary>
/// <exception cref="SocketException">There are none.</exception>
delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);

/// <summary>Looks up the endpoints that addresses stand for.</summary>
static class HostNames
{
    /// <summary>All endpoints of an address: at least one.</summary>
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
        // IPv4 first, so that a name which stands for both gives the same identity at every start.
        return
        [
            .. addresses.Distinct()
                .OrderBy(found => found.AddressFamily != AddressFamily.InterNetwork)
                .Select(found => new IPEndPoint(found, port)),
        ];
    }
}
