namespace Datacake.Node.Gossip;

/// <summary>
/// The last heartbeats of recently forgotten nodes. Without them, a forgotten node would look like a new node in the digest of a peer that
/// forgets it slightly later.
/// </summary>
sealed class ForgottenNodes
{
    const int Capacity = 500;

    readonly Dictionary<GossipId, ulong> _heartbeats = [];
    readonly LinkedList<GossipId> _byAge = new();

    public void Add(GossipId id, ulong heartbeat)
    {
        Remove(id);
        _heartbeats[id] = heartbeat;
        _byAge.AddLast(id);
        if (_byAge.Count > Capacity)
            Remove(_byAge.First!.Value);
    }

    /// <summary>Returns true if a heartbeat is not later than the one with which the node was forgotten.</summary>
    public bool IsOldNews(GossipId id, ulong heartbeat) => _heartbeats.TryGetValue(id, out var last) && heartbeat <= last;

    public void Remove(GossipId id)
    {
        if (_heartbeats.Remove(id))
            _byAge.Remove(id);
    }
}
