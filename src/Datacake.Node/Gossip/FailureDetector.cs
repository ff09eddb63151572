namespace Datacake.Node.Gossip;

/// <summary>
/// Tells nodes that run from nodes that do not by the silence since the last sign of life, measured by how regular the signs were before:
/// the phi-accrual detector (Hayashibara et al., 2004) in the simple form that chitchat uses, mean instead of distribution.
/// </summary>
sealed class FailureDetector(GossipOptions options, TimeProvider time)
{
    /// <summary>How many assumed intervals a new node starts with.</summary>
    const int PriorWeight = 5;

    readonly Dictionary<GossipId, Suspect> _nodes = [];

    /// <summary>A node gave a sign of life.</summary>
    public void Report(GossipId id)
    {
        if (!_nodes.TryGetValue(id, out var node))
            _nodes[id] = node = new Suspect();
        if (node.LastSeen is { } last && time.GetElapsedTime(last) is var interval && interval <= options.MaxHeartbeatInterval)
            node.Intervals.Add(interval.TotalSeconds);
        node.LastSeen = time.GetTimestamp();
    }

    /// <summary>
    /// How suspicious the silence of a node is: its length as a multiple of the mean interval between signs of life. Null while there
    /// are too few signs to tell.
    /// </summary>
    public double? Phi(GossipId id)
        => _nodes.TryGetValue(id, out var node) && node.LastSeen is { } last && node.Intervals.Count > 0
            ? time.GetElapsedTime(last).TotalSeconds / MeanInterval(node)
            : null;

    /// <summary>Decides anew whether a node runs, and notes the time if it has just been found dead.</summary>
    public bool Judge(GossipId id)
    {
        if (!_nodes.TryGetValue(id, out var node))
            _nodes[id] = node = new Suspect();
        node.IsAlive = Phi(id) is { } phi
            && (phi <= options.PhiThreshold || time.GetElapsedTime(node.LastSeen!.Value) < options.MinSilence);
        if (node.IsAlive)
        {
            node.DeadSince = null;
        }
        else
        {
            node.Intervals.Clear();
            node.DeadSince ??= time.GetTimestamp();
        }
        return node.IsAlive;
    }

    /// <summary>What <see cref="Judge"/> found last.</summary>
    public bool IsAlive(GossipId id) => _nodes.TryGetValue(id, out var node) && node.IsAlive;

    /// <summary>How long a node has been dead; null if it is alive or was not judged yet.</summary>
    public TimeSpan? DeadFor(GossipId id)
        => _nodes.TryGetValue(id, out var node) && node.DeadSince is { } since ? time.GetElapsedTime(since) : null;

    /// <summary>The timestamp of the last sign of life, or else of when the node was found dead; null if nothing is known.</summary>
    public long? LastHeard(GossipId id) => _nodes.TryGetValue(id, out var node) ? node.LastSeen ?? node.DeadSince : null;

    /// <summary>A node that was not heard of yet has been dead for so long.</summary>
    public void AssumeDead(GossipId id, TimeSpan since)
        => _nodes[id] = new Suspect { DeadSince = time.GetTimestamp() - (long)(since.TotalSeconds * time.TimestampFrequency) };

    /// <summary>This process itself did not run for a while: the silence of the others in that time says nothing about them.</summary>
    public void Forgive(TimeSpan pause)
    {
        var ticks = (long)(pause.TotalSeconds * time.TimestampFrequency);
        foreach (var node in _nodes.Values)
            if (node.LastSeen is { } last)
                node.LastSeen = Math.Min(time.GetTimestamp(), last + ticks);
    }

    public void ForgetAllBut(Func<GossipId, bool> isKnown)
    {
        foreach (var id in _nodes.Keys)
            if (!isKnown(id))
                _nodes.Remove(id);
    }

    double MeanInterval(Suspect node)
        => (node.Intervals.Sum + PriorWeight * options.InitialHeartbeatInterval.TotalSeconds) / (node.Intervals.Count + PriorWeight);

    sealed class Suspect
    {
        public SamplingWindow Intervals { get; } = new();

        /// <summary>Timestamp of the last sign of life.</summary>
        public long? LastSeen { get; set; }

        public long? DeadSince { get; set; }

        public bool IsAlive { get; set; }
    }
}
