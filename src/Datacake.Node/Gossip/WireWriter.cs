using System.Buffers;
using System.Buffers.Binary;

namespace Datacake.Node.Gossip;

/// <summary>A writer of the primitives of the gossip format, with a growing buffer.</summary>
sealed class WireWriter
{
    readonly ArrayBufferWriter<byte> _buffer = new(512);

    public ReadOnlySpan<byte> Written => _buffer.WrittenSpan;

    public void Byte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
    }

    public void UInt16(int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_buffer.GetSpan(2), checked((ushort)value));
        _buffer.Advance(2);
    }

    public void UInt64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
    }

    public void Bytes(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);

    public void Text(ReadOnlySpan<byte> utf8)
    {
        UInt16(utf8.Length);
        Bytes(utf8);
    }

    public void Text(string text)
    {
        var length = GossipId.StrictUtf8.GetByteCount(text);
        UInt16(length);
        GossipId.StrictUtf8.GetBytes(text, _buffer.GetSpan(length));
        _buffer.Advance(length);
    }

    public void Id(GossipId id)
    {
        Text(id.NameUtf8);
        UInt64(id.Generation);
        Byte(id.AddressBytes.Length == 4 ? WireFormat.IPv4 : WireFormat.IPv6);
        Bytes(id.AddressBytes);
        UInt16(id.Address.Port);
    }
}
