namespace Datacake.Simulation.Machines;

/// <summary>One side of a stream between two machines. It becomes a session when hellos have been exchanged.</summary>
sealed class Link(long stream, Machine peer, bool isDialer)
{
    public long Stream { get; } = stream;

    public Machine Peer { get; } = peer;

    /// <summary>The store that the peer had when the stream was opened.</summary>
    public ulong PeerStore { get; } = peer.StoreId;

    public bool IsDialer { get; } = isDialer;

    /// <summary>The session's id in the replica; 0 until it is open.</summary>
    public long Session { get; set; }

    /// <summary>The number of ticks that the dialer has waited for an answer.</summary>
    public int Ticks { get; set; }
}
