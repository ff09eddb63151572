using Datacake.Rpc.Framing;

namespace Datacake.Rpc.Handshake;

/// <summary>The versions of the protocol and the capabilities that one side supports and states in its greeting.</summary>
/// <param name="Highest">The highest supported version.</param>
/// <param name="Lowest">The lowest supported version.</param>
/// <param name="Capabilities">The supported capabilities.</param>
sealed record ProtocolVersions(byte Highest, byte Lowest, Capabilities Capabilities)
{
    /// <summary>
    /// Gets the versions that this build supports. A change of frames or of the handshake increases <see cref="Highest"/>, and the previous
    /// version stays supported. An addition that a peer may lack gets a capability.
    /// </summary>
    public static ProtocolVersions Current { get; } = new(3, 3, Capabilities.None);

    /// <summary>Gets the fields that a later version appends to its greeting. Only tests set them.</summary>
    public ReadOnlyMemory<byte> Appended { get; init; }

    /// <summary>Returns the highest version that both sides support, or null if there is none.</summary>
    public byte? AgreeWith(ProtocolVersions other)
    {
        var agreed = Math.Min(Highest, other.Highest);
        return agreed >= Lowest && agreed >= other.Lowest ? agreed : null;
    }

    public override string ToString() => Lowest == Highest ? $"version {Highest}" : $"versions {Lowest} to {Highest}";
}
