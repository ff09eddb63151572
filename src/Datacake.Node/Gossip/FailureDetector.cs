namespace Datacake.Node.Gossip;

/// <summary>
/// A phi-accrual failure detector (Hayashibara et al., 2004) in the simplified form of chitchat, which uses the mean instead of the
/// distribution. It judges a node by the silence since its last sign of life, relative to the mean interval between the signs before.
/// </summary>
sealed class FailureDetector(GossipOptions options, TimeProvider time)
{
    /// <summary>The number of assumed intervals with which a new node starts.</summary>
    const int PriorWeight = 5;

    readonly Dictionary<GossipId, Suspect> _nodes = [];

    /// <summary>Records a sign of life of a node.</summary>
    public void Report(GossipId id)
    {
        if (!_nodes.TryGetValue(id, out var node))
            _nodes[id] = node = new Suspect();
        if (node.LastSeen is { } last && time.GetElapsedTime(last) is var interval && interval <= options.MaxHeartbeatInterval)
            node.Intervals.Add(interval.TotalSeconds);
        node.LastSeen = time.GetTimestamp();
    }

    /// <summary>
    /// Returns the suspicion of a node: the length of its silence as a multiple of the mean interval between its signs of life. Returns
    /// null while there are too few signs to tell.
    /// </summary>
    public double? Phi(GossipId id)
        => _nodes.TryGetValue(id, out var node) && node.LastSeen is { } last && node.Intervals.Count > 0
            ? time.GetElapsedTime(last).TotalSeconds / MeanInterval(node)
            : null;

    /// <summary>Decides again whether a node is alive, and records the time if it has just been found dead.</summary>
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

    /// <summary>Returns the last result of <see cref="Judge"/>.</summary>
    public bool IsAlive(GossipId id) => _nodes.TryGetValue(id, out var node) && node.IsAlive;

    /// <summary>Returns the time for which a node has been dead; null if it is alive or was not judged yet.</summary>
    public TimeSpan? DeadFor(GossipId id)
        => _nodes.TryGetValue(id, out var node) && node.DeadSince is { } since ? time.GetElapsedTime(since) : null;

    /// <summary>
    /// Returns the timestamp of the last sign of life, or, if there was none, of the time when the node was found dead; null if neither is
    /// known.
    /// </summary>
    public long? LastHeard(GossipId id) => _nodes.TryGetValue(id, out var node) ? node.LastSeen ?? node.DeadSince : null;

    /// <summary>Records that a node that was not heard of yet has been dead for a given time.</summary>
    public void AssumeDead(GossipId id, TimeSpan deadFor)
        => _nodes[id] = new Suspect { DeadSince = time.GetTimestamp() - (long)(deadFor.TotalSeconds * time.TimestampFrequency) };

    /// <summary>
    /// Discounts a pause of this process. The silence of other nodes during that time says nothing about them.
    /// </summary>
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

        /// <summary>Gets or sets the timestamp of the last sign of life.</summary>
        public long? LastSeen { get; set; }

        public long? DeadSince { get; set; }

        public bool IsAlive { get; set; }
    }
}
