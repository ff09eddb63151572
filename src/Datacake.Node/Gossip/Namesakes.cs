namespace Datacake.Node.Gossip;

/// <summary>
/// The conflicts of this node with other nodes that use its id. The node whose store was retired gives way, or else the one that started
/// later.
/// </summary>
sealed class Namesakes(GossipSettings settings)
{
    bool _wasToldRetired;
    long _gaveWayAt;

    /// <summary>Gets or sets the id of this node's store; 0 while it has none.</summary>
    public ulong Store { get; set; }

    /// <summary>Gets or sets the ids of the stores that were retired from the cluster.</summary>
    public IReadOnlySet<ulong> Retired { get; set; } = new HashSet<ulong>();

    /// <summary>Gets the node to which this one gives way; null if there is none.</summary>
    public GossipId? GivesWayTo { get; private set; }

    /// <summary>True if the store of this node was retired, as far as this node knows.</summary>
    public bool IsRetired => _wasToldRetired || IsRetiredStore(Store);

    public bool IsRetiredStore(ulong store) => store != 0 && Retired.Contains(store);

    /// <summary>Judges the sender of a message. Returns null unless the sender is another node that uses the id of this one.</summary>
    public GossipRefusal? Judge(GossipSender sender)
    {
        if (sender.Id.Name != settings.Self.Name || sender.Id.Equals(settings.Self))
            return null;
        var isTheirsRetired = IsRetiredStore(sender.Store);
        // Others can know the store of this node only if this node has published it.
        _wasToldRetired |= !settings.RetirementNeedsProof && sender.HoldsReceiverRetired && Store != 0 && !isTheirsRetired;
        if (isTheirsRetired)
            return new GossipRefusal(sender, GossipRefusalReason.RetiredStore, IsOwnFault: false);
        if (!IsRetired && sender.Id.CompareTo(settings.Self) > 0)
            return new GossipRefusal(sender, GossipRefusalReason.SameNodeId, IsOwnFault: false);
        GivesWayTo = sender.Id;
        _gaveWayAt = settings.TimeProvider.GetTimestamp();
        return new GossipRefusal(sender, IsRetired ? GossipRefusalReason.RetiredStore : GossipRefusalReason.SameNodeId, IsOwnFault: true);
    }

    /// <summary>
    /// Stops giving way once the other node has been silent for long enough. A node whose store was retired gives way forever.
    /// </summary>
    public void Reconsider()
    {
        var patience = 2 * (settings.Options.MinSilence + settings.Options.ExchangeTimeout);
        if (GivesWayTo is not null && !IsRetired && settings.TimeProvider.GetElapsedTime(_gaveWayAt) >= patience)
            GivesWayTo = null;
    }
}
