using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>
/// The versions of the replication protocol that a node speaks, and its capabilities. Two nodes speak the lower of their versions, if both speak it, and
/// use the capabilities that both have. So nodes of neighboring versions work side by side while a cluster is updated node by node.
/// </summary>
/// <param name="Version">The newest version that the node speaks.</param>
/// <param name="Oldest">The oldest version that the node still speaks.</param>
/// <param name="Capabilities">A bit for each thing that the node can do beyond its version.</param>
readonly record struct ProtocolVersion(int Version, int Oldest, ulong Capabilities)
{
    /// <summary>The versions that this library speaks.</summary>
    public static ProtocolVersion Current { get; } = new(Version: 1, Oldest: 1, Capabilities: 0);

    /// <summary>Returns the version and capabilities that a node has in common with a peer, or null if they share no version.</summary>
    public ProtocolVersion? With(ProtocolVersion peer)
    {
        int version = Math.Min(Version, peer.Version), oldest = Math.Max(Oldest, peer.Oldest);
        return version < oldest ? null : new ProtocolVersion(version, oldest, Capabilities & peer.Capabilities);
    }

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Version);
        writer.Write(Oldest);
        writer.Write(Capabilities);
    }

    public static ProtocolVersion Read(ref MessagePackReader reader) => new(reader.ReadInt32(), reader.ReadInt32(), reader.ReadUInt64());

    public override string ToString() => Oldest == Version ? $"version {Version}" : $"versions {Oldest} to {Version}";
}
