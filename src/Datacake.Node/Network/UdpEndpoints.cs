using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Datacake.Node.Gossip;

namespace Datacake.Node.Network;

/// <summary>
/// The endpoints to which datagrams are sent. The identity of a node contains the address to which the node's name resolved on its own
/// machine at its start. Therefore an advertised name is resolved on this machine, and again after a while or after a failure. Thread-safe.
/// </summary>
sealed class UdpEndpoints(HostResolver resolve, TimeProvider time)
{
    const int Capacity = 1_024;

    static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(60);

    readonly ConcurrentDictionary<string, (IPEndPoint Endpoint, long Since)> _found = new();

    public async ValueTask<IPEndPoint> FindAsync(GossipTarget target, CancellationToken cancellationToken)
    {
        // Another implementation may publish the address of a different service, whose port then differs from the gossip port.
        if (!NodeAddress.IsName(target.Address) || !NodeAddress.TryParse(target.Address, out _, out var port) || port != target.Endpoint.Port)
            return target.Endpoint;
        if (_found.TryGetValue(target.Address, out var found) && time.GetElapsedTime(found.Since) < Lifetime)
            return found.Endpoint;
        try
        {
            var endpoints = await HostNames.ResolveAsync(target.Address, resolve, cancellationToken).ConfigureAwait(false);
            var endpoint = endpoints.Contains(target.Endpoint) ? target.Endpoint : endpoints[0];
            if (_found.Count >= Capacity)
                _found.Clear();
            _found[target.Address] = (endpoint, time.GetTimestamp());
            return endpoint;
        }
        catch (SocketException)
        {
            return found.Endpoint ?? target.Endpoint;
        }
    }

    /// <summary>Discards the endpoint of a target that did not answer, so that its name is resolved again.</summary>
    public void Failed(GossipTarget target) => _found.TryRemove(target.Address, out _);
}
