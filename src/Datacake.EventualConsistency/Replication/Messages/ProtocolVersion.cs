using MessagePack;

namespace Datacake.EventualConsistency.Replication.Messages;

/// <summary>
/// The versions of the replication protocol that a node speaks, and its capabilities. Two nodes use the lower of their two newest versions,
/// if both speak it, and the capabilities that both have. This lets nodes of neighboring versions work together while a cluster is updated
/// node by node.
/// </summary>
/// <param name="Version">The newest version that the node speaks.</param>
/// <param name="Oldest">The oldest version that the node still speaks.</param>
/// <param name="Capabilities">A bit set of optional features that the node supports beyond its version.</param>
readonly record struct ProtocolVersion(int Version, int Oldest, ulong Capabilities)
{
    /// <summary>The capability to keep bounded counters, and to give rights to them.</summary>
    const ulong Rights = 1 << 1;

    /// <summary>The capability to retire a store that asks for it.</summary>
    const ulong Leaving = 1 << 2;

    /// <summary>Gets the versions that this library speaks.</summary>
    public static ProtocolVersion Current { get; } = new(Version: 1, Oldest: 1, Capabilities: Rights | Leaving);

    /// <summary>True if a node keeps bounded counters, and gives rights to them.</summary>
    public bool HasRights => (Capabilities & Rights) != 0;

    /// <summary>True if a node retires a store that asks for it.</summary>
    public bool HasLeaving => (Capabilities & Leaving) != 0;

    /// <summary>Returns the version and the capabilities that a node shares with a peer, or null if no version is common to both.</summary>
    public ProtocolVersion? With(ProtocolVersion peer)
    {
        int version = Math.Min(Version, peer.Version), oldest = Math.Max(Oldest, peer.Oldest);
        return version < oldest ? null : new ProtocolVersion(version, oldest, Capabilities & peer.Capabilities);
    }

    /// <summary>Returns true if a node of these versions may send what a node of other versions does not know.</summary>
    public bool Exceeds(ProtocolVersion other) => Version > other.Version || (Capabilities & ~other.Capabilities) != 0;

    public void Write(ref MessagePackWriter writer)
    {
        writer.Write(Version);
        writer.Write(Oldest);
        writer.Write(Capabilities);
    }

    public static ProtocolVersion Read(ref MessagePackReader reader) => new(reader.ReadInt32(), reader.ReadInt32(), reader.ReadUInt64());

    public override string ToString() => Oldest == Version ? $"version {Version}" : $"versions {Oldest} to {Version}";
}
