namespace Datacake.Crdt;

/// <summary>A half-open interval of stamps.</summary>
/// <param name="Low">The lower bound, which is not part of the interval.</param>
/// <param name="High">The upper bound, which is part of the interval.</param>
public readonly record struct StampInterval(HlcTimestamp Low, HlcTimestamp High)
{
    /// <summary>Returns true if a stamp is in the interval.</summary>
    public bool Contains(HlcTimestamp stamp) => Low < stamp && stamp <= High;

    /// <inheritdoc/>
    public override string ToString() => $"({Low}, {High}]";
}
