namespace Datacake.Crdt;

/// <summary>The stamps above <see cref="Low"/> and not above <see cref="High"/>.</summary>
public readonly record struct StampInterval(HlcTimestamp Low, HlcTimestamp High)
{
    /// <summary>Whether a stamp is in the interval.</summary>
    public bool Contains(HlcTimestamp stamp) => Low < stamp && stamp <= High;

    /// <inheritdoc/>
    public override string ToString() => $"({Low}, {High}]";
}
