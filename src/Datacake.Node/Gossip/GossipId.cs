using System.Globalization;
using System.Net;
using System.Text;

namespace Datacake.Node.Gossip;

/// <summary>
/// One life of one gossiping process: its name, the generation it started with, and the address that it gossips at. All three
/// together are the identity; the same name with another generation or address is another node.
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
        // The wire carries no IPv6 scope, so an identity has none either: it must equal the one that comes back from a peer.
        Address = new IPEndPoint(new IPAddress(_address), address.Port);
    }

    /// <summary>UTF-8 that throws on what is not text, instead of replacing it.</summary>
    public static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string Name { get; }

    /// <summary>The name as a node id; null if it is not a number from 0 to 255.</summary>
    public byte? NodeId
        => byte.TryParse(Name, NumberStyles.None, CultureInfo.InvariantCulture, out var nodeId) ? nodeId : null;

    /// <summary>Grows with every start of the node of this name.</summary>
    public ulong Generation { get; }

    public IPEndPoint Address { get; }

    public ReadOnlySpan<byte> NameUtf8 => _nameUtf8;

    public ReadOnlySpan<byte> AddressBytes => _address;

    /// <summary>Bytes that the identity takes in a message.</summary>
    public int EncodedLength => 2 + _nameUtf8.Length + 8 + 1 + _address.Length + 2;

    public bool Equals(GossipId? other)
        => other is not null && Generation == other.Generation && Address.Equals(other.Address) && Name == other.Name;

    public override bool Equals(object? obj) => Equals(obj as GossipId);

    public override int GetHashCode() => HashCode.Combine(Name, Generation, Address);

    /// <summary>The order of identities in a digest: name bytewise, generation, address (any IPv4 before any IPv6).</summary>
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
