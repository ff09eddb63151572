using System.Globalization;
using System.Net;
using System.Text;

namespace Datacake.Node.Gossip;

/// <summary>
/// The identity of one life of a gossiping process: its name, the generation of its start, and the address on which it gossips. If any of
/// the three differs, the identities are different.
/// </summary>
sealed class GossipId : IEquatable<GossipId>, IComparable<GossipId>
{
    readonly byte[] _nameUtf8;
    readonly byte[] _address;

    public GossipId(string name, ulong generation, IPEndPoint address)
    {
        _nameUtf8 = StrictUtf8.GetBytes(name);
        _address = address.Address.GetAddressBytes();
        Name = name;
        Generation = generation;
        // The wire format has no IPv6 scope. The identity must equal the one that a peer sends back, so it has no scope either.
        Address = new IPEndPoint(new IPAddress(_address), address.Port);
    }

    /// <summary>A UTF-8 encoding that throws on invalid text instead of replacing it.</summary>
    public static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string Name { get; }

    /// <summary>Gets the name as a node id; null if it is not a number from 0 to 255.</summary>
    public byte? NodeId
        => byte.TryParse(Name, NumberStyles.None, CultureInfo.InvariantCulture, out var nodeId) ? nodeId : null;

    /// <summary>Gets the generation, a number that grows with every start of the node.</summary>
    public ulong Generation { get; }

    public IPEndPoint Address { get; }

    public ReadOnlySpan<byte> NameUtf8 => _nameUtf8;

    public ReadOnlySpan<byte> AddressBytes => _address;

    /// <summary>Gets the number of bytes that the identity takes in a message.</summary>
    public int EncodedLength => 2 + _nameUtf8.Length + 8 + 1 + _address.Length + 2;

    public bool Equals(GossipId? other)
        => other is not null && Generation == other.Generation && Address.Equals(other.Address) && Name == other.Name;

    public override bool Equals(object? obj) => Equals(obj as GossipId);

    public override int GetHashCode() => HashCode.Combine(Name, Generation, Address);

    /// <summary>
    /// Compares identities in the order of a digest: by the bytes of the name, the generation, and the address (IPv4 first).
    /// </summary>
    public int CompareTo(GossipId? other)
    {
        if (other is null)
            return 1;
        var order = NameUtf8.SequenceCompareTo(other.NameUtf8);
        if (order == 0)
            order = Generation.CompareTo(other.Generation);
        if (order == 0)
            order = _address.Length.CompareTo(other._address.Length);
        if (order == 0)
            order = AddressBytes.SequenceCompareTo(other.AddressBytes);
        return order == 0 ? Address.Port.CompareTo(other.Address.Port) : order;
    }

    public override string ToString() => $"node {Name} at {Address} (generation {Generation})";
}
