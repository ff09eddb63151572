using System.Collections.Concurrent;
using System.Net;

namespace Datacake.Node.Network;

/// <summary>The current life of the node at each endpoint, learned from its last datagram. Thread-safe.</summary>
sealed class PeerLives
{
    const int Capacity = 1_024;

    readonly ConcurrentDictionary<IPEndPoint, UInt128> _lives = new();

    /// <summary>Returns the life of the node at an endpoint; 0 if it is not known.</summary>
    public UInt128 At(IPEndPoint endpoint) => _lives.GetValueOrDefault(endpoint);

    public void Learn(IPEndPoint endpoint, UInt128 life)
    {
        // Lives that are discarded here are learned again from the next datagrams.
        if (_lives.Count >= Capacity && !_lives.ContainsKey(endpoint))
            _lives.Clear();
        _lives[endpoint] = life;
    }
}
