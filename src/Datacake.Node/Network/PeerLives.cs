using System.Collections.Concurrent;
using System.Net;

namespace Datacake.Node;

/// <summary>The life of the node at each endpoint, as its last datagram has told it. Thread-safe.</summary>
sealed class PeerLives
{
    const int Capacity = 1_024;

    readonly ConcurrentDictionary<IPEndPoint, UInt128> _lives = new();

    /// <summary>Gets the life of the node at an endpoint; 0 if it is not known.</summary>
    public UInt128 At(IPEndPoint endpoint) => _lives.GetValueOrDefault(endpoint);

    public void Learn(IPEndPoint endpoint, UInt128 life)
    {
        // Whoever is forgotten is asked again.
        if (_lives.Count >= Capacity && !_lives.ContainsKey(endpoint))
            _lives.Clear();
        _lives[endpoint] = life;
    }
}
