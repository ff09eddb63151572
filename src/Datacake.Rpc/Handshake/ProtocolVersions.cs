namespace Datacake.Rpc.Handshake;

/// <summary>The protocol as one side speaks it, which it says in its greeting.</summary>
/// <param name="Highest">The version that it speaks best.</param>
/// <param name="Lowest">The lowest version that it still speaks.</param>
/// <param name="Capabilities">What it can do beside.</param>
sealed record ProtocolVersions(byte Highest, byte Lowest, Capabilities Capabilities)
{
    /// <summary>
    /// What this build speaks. A change of frames or handshake raises <see cref="Highest"/>, and the code keeps speaking the version
    /// before it; an addition that a peer may lack gets a capability.
    /// </summary>
    public static ProtocolVersions Current { get; } = new(3, 3, Capabilities.None);

    /// <summary>Fields that a later version may append to its greeting.</summary>
    public ReadOnlyMemory<byte> Appended { get; init; }

    /// <summary>The version that both sides speak, or null if there is none.</summary>
    public byte? AgreeWith(ProtocolVersions other)
    {
        var agreed = Math.Min(Highest, other.Highest);
        return agreed >= Lowest && agreed >= other.Lowest ? agreed : null;
    }

    public override string ToString() => Lowest == Highest ? $"version {Highest}" : $"versions {Lowest} to {Highest}";
}
