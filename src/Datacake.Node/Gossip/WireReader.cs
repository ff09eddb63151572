using System.Buffers.Binary;
using System.Net;
using System.Text;
using System.Text.Unicode;

namespace Datacake.Node.Gossip;

/// <summary>
/// A reader of the primitives of the gossip format. It keeps the first error in <see cref="Error"/> and returns default values from then
/// on, so a caller needs to check for errors only once, at the end.
/// </summary>
ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    ReadOnlySpan<byte> _rest = bytes;

    public string? Error { get; private set; }

    /// <summary>True if the error is that the bytes ended too early.</summary>
    public bool HasEndedEarly { get; private set; }

    public readonly bool AtEnd => _rest.IsEmpty;

    public readonly ReadOnlySpan<byte> Rest => _rest;

    public void Fail(string error)
    {
        Error ??= error;
        _rest = default;
    }

    public ReadOnlySpan<byte> Bytes(int length)
    {
        if (length > _rest.Length)
        {
            HasEndedEarly |= Error is null;
            Fail($"it ends {length - _rest.Length} bytes early");
            return default;
        }
        var bytes = _rest[..length];
        _rest = _rest[length..];
        return bytes;
    }

    public byte Byte() => Bytes(1) is { IsEmpty: false } bytes ? bytes[0] : (byte)0;

    public ushort UInt16() => Bytes(2) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : (ushort)0;

    public ulong UInt64() => Bytes(8) is { IsEmpty: false } bytes ? BinaryPrimitives.ReadUInt64LittleEndian(bytes) : 0;

    public string Text()
    {
        var utf8 = Bytes(UInt16());
        if (Utf8.IsValid(utf8))
            return Encoding.UTF8.GetString(utf8);
        Fail("a text is not valid UTF-8");
        return "";
    }

    public GossipId? Id()
    {
        var name = Text();
        var generation = UInt64();
        var address = Address();
        var port = UInt16();
        return Error is null ? new GossipId(name, generation, new IPEndPoint(address, port)) : null;
    }

    IPAddress Address()
    {
        var family = Byte();
        var length = family switch { WireFormat.IPv4 => 4, WireFormat.IPv6 => 16, _ => 0 };
        if (length == 0)
            Fail($"{family} is not a valid address family");
        var bytes = Bytes(length);
        return bytes.IsEmpty ? IPAddress.None : new IPAddress(bytes);
    }
}
