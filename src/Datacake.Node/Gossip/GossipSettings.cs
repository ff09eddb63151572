namespace Datacake.Node.Gossip;

/// <summary>What a gossiper is made with.</summary>
sealed record GossipSettings
{
    public required GossipId Self { get; init; }

    public required string ClusterId { get; init; }

    public required GossipOptions Options { get; init; }

    /// <summary>The most bytes that the transport carries in one message.</summary>
    public required int MaxMessageLength { get; init; }

    public required TimeProvider TimeProvider { get; init; }

    public required Random Random { get; init; }

    /// <summary>True if what others say of a retirement is no proof: only the store of this node knows which stores are retired.</summary>
    public bool RetirementNeedsProof { get; init; }

    /// <summary>Draws a stamp for each message; 0 where no clock is kept.</summary>
    public Func<ulong> Stamp { get; init; } = static () => 0;

    /// <summary>Is told the sender of each message that is not refused, before the answer is made.</summary>
    public Action<GossipSender> Accepted { get; init; } = static _ => { };
}
