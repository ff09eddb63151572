namespace Datacake.Node.Gossip;

/// <summary>
/// The last heartbeats of nodes that were forgotten lately. Without them, a forgotten node would be met again as a new one in the digest
/// of a peer that forgets it a little later.
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

    /// <summary>True if a heartbeat is no later than what the node was forgotten with.</summary>
    public bool IsOldNews(GossipId id, ulong heartbeat) => _heartbeats.TryGetValue(id, out var last) && heartbeat <= last;

    public void Remove(GossipId id)
    {
        if (_heartbeats.Remove(id))
            _byAge.Remove(id);
    }
}
