namespace Datacake.Node.Gossip;

/// <summary>The settings of a <see cref="Gossiper"/>.</summary>
sealed record GossipSettings
{
    public required GossipId Self { get; init; }

    public required string ClusterId { get; init; }

    public required GossipOptions Options { get; init; }

    /// <summary>Gets the maximum length of a message of the transport in bytes.</summary>
    public required int MaxMessageLength { get; init; }

    public required TimeProvider TimeProvider { get; init; }

    public required Random Random { get; init; }

    /// <summary>
    /// True if retirements that other nodes claim are ignored. Then only this node's store decides which stores were retired.
    /// </summary>
    public bool RetirementNeedsProof { get; init; }

    /// <summary>Gets a function that returns the stamp for a message, or 0 if there is no cluster clock.</summary>
    public Func<ulong> Stamp { get; init; } = static () => 0;

    /// <summary>Gets an action that is called with the sender of each message that is not refused, before the answer is created.</summary>
    public Action<GossipSender> Accepted { get; init; } = static _ => { };
}
