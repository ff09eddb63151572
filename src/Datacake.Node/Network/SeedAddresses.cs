using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Datacake.Node;

/// <summary>Looks up the addresses that a host name stands for.</summary>
/// <exception cref="SocketException">There are none.</exception>
delegate Task<IPAddress[]> HostResolver(string host, CancellationToken cancellationToken);

/// <summary>The seeds as they were configured, and the addresses that their host names stood for when last resolved.</summary>
sealed class SeedAddresses(IReadOnlyList<string> seeds, HostResolver resolve, ILogger logger)
{
    readonly Dictionary<string, IReadOnlyList<IPEndPoint>> _resolved = [];

    // Replaced as a whole by the gossip loop, read by exchanges under way.
    volatile Dictionary<IPEndPoint, string> _names = [];

    /// <summary>Resolves all host names again. One that cannot be resolved keeps the addresses that it had.</summary>
    public async Task<IReadOnlyCollection<IPEndPoint>> ResolveAsync(CancellationToken cancellationToken)
    {
        foreach (var seed in seeds)
        {
            try
            {
                _resolved[seed] = await ResolveAsync(seed, resolve, cancellationToken).ConfigureAwait(false);
            }
            catch (SocketException failure)
            {
                NodeLog.SeedNotResolved(logger, seed, failure.Message);
            }
        }

        var names = new Dictionary<IPEndPoint, string>();
        foreach (var (seed, endpoints) in _resolved)
            foreach (var endpoint in endpoints)
                names[endpoint] = endpoints.Count == 1 ? seed : endpoint.ToString();
        _names = names;
        return [.. names.Keys];
    }

    /// <summary>
    /// How to call an endpoint: by the seed's name if it stands for this endpoint alone, since a certificate may name the host.
    /// </summary>
    public string? NameOf(IPEndPoint endpoint) => _names.TryGetValue(endpoint, out var name) ? name : null;

    /// <exception cref="SocketException">The host name cannot be resolved.</exception>
    public static async Task<IReadOnlyList<IPEndPoint>> ResolveAsync(string address, HostResolver resolve, CancellationToken cancellationToken)
    {
        if (!NodeAddress.TryParse(address, out var host, out var port))
            return [];
        if (IPAddress.TryParse(host, out var ip))
            return [new IPEndPoint(ip, port)];
        var addresses = await resolve(host, cancellationToken).ConfigureAwait(false);
        // IPv4 first, so that a name which stands for both gives the same identity at every start.
        return
        [
            .. addresses.Distinct()
                .OrderBy(found => found.AddressFamily != AddressFamily.InterNetwork)
                .Select(found => new IPEndPoint(found, port)),
        ];
    }
}
