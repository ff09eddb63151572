namespace Datacake.Node.Gossip;

/// <summary>
/// Decides which of two nodes with one id gives way: the one whose store was retired, or else the one that was started later.
/// </summary>
sealed class Namesakes(GossipSettings settings)
{
    bool _wasToldRetired;
    long _gaveWayAt;

    /// <summary>The id of this node's store; 0 while it has none.</summary>
    public ulong Store { get; set; }

    /// <summary>Store ids that were retired from the cluster.</summary>
    public IReadOnlySet<ulong> Retired { get; set; } = new HashSet<ulong>();

    /// <summary>The node that this one gives way to; null if there is none.</summary>
    public GossipId? GivesWayTo { get; private set; }

    /// <summary>True if this node's own store was retired, as far as it knows.</summary>
    public bool IsRetired => _wasToldRetired || IsRetiredStore(Store);

    public bool IsRetiredStore(ulong store) => store != 0 && Retired.Contains(store);

    /// <summary>Judges a message of another node that uses this one's id. Null if the sender uses another id.</summary>
    public GossipRefusal? Judge(GossipSender sender)
    {
        if (sender.Id.Name != settings.Self.Name || sender.Id.Equals(settings.Self))
            return null;
        var isTheirsRetired = IsRetiredStore(sender.Store);
        // Only a node that has published its store can be told so.
        _wasToldRetired |= !settings.RetirementNeedsProof && sender.HoldsReceiverRetired && Store != 0 && !isTheirsRetired;
        if (isTheirsRetired)
            return new GossipRefusal(sender, GossipRefusalReason.RetiredStore, IsOwnFault: false);
        if (!IsRetired && sender.Id.CompareTo(settings.Self) > 0)
            return new GossipRefusal(sender, GossipRefusalReason.SameNodeId, IsOwnFault: false);
        GivesWayTo = sender.Id;
        _gaveWayAt = settings.TimeProvider.GetTimestamp();
        return new GossipRefusal(sender, IsRetired ? GossipRefusalReason.RetiredStore : GossipRefusalReason.SameNodeId, IsOwnFault: true);
    }

    /// <summary>Stops giving way once the other has been silent for long enough; a node whose store was retired never does.</summary>
    public void Reconsider()
    {
        var patience = 2 * (settings.Options.MinSilence + settings.Options.ExchangeTimeout);
        if (GivesWayTo is not null && !IsRetired && settings.TimeProvider.GetElapsedTime(_gaveWayAt) >= patience)
            GivesWayTo = null;
    }
}
