using System.Buffers.Binary;
using System.Security.Cryptography;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Sealing;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// The body of a side's first step: lowest version (1 byte), capabilities (8), message size, calls in flight, stream window and header
/// size (4 each), random number (32), all little-endian, and its key of the key exchange (64; zeros without a secret). Its highest version is in the header
/// of the step. Later versions append fields, which earlier ones skip; these stay where they are.
/// </summary>
static class Greeting
{
    public const int Size = KeyOffset + KeyExchange.KeySize;

    const int CapabilitiesOffset = 1;
    const int LimitsOffset = CapabilitiesOffset + 8;
    const int NonceOffset = LimitsOffset + 16;
    const int NonceSize = 32;
    const int KeyOffset = NonceOffset + NonceSize;

    public static byte[] Write(ProtocolVersions versions, RpcLimits limits, ReadOnlySpan<byte> key)
    {
        var body = new byte[Size + versions.Appended.Length];
        body[0] = versions.Lowest;
        BinaryPrimitives.WriteUInt64LittleEndian(body.AsSpan(CapabilitiesOffset), (ulong)versions.Capabilities);
        var fields = body.AsSpan(LimitsOffset);
        BinaryPrimitives.WriteInt32LittleEndian(fields, limits.MessageSize);
        BinaryPrimitives.WriteInt32LittleEndian(fields[4..], limits.CallsInFlight);
        BinaryPrimitives.WriteInt32LittleEndian(fields[8..], limits.StreamWindow);
        BinaryPrimitives.WriteInt32LittleEndian(fields[12..], limits.HeaderSize);
        RandomNumberGenerator.Fill(body.AsSpan(NonceOffset, NonceSize));
        key.CopyTo(body.AsSpan(KeyOffset));
        versions.Appended.CopyTo(body.AsMemory(Size));
        return body;
    }

    /// <summary>Agrees with the other side's greeting, or refuses it.</summary>
    /// <exception cref="RpcException">The versions are too far apart, or the greeting is unreadable.</exception>
    public static Agreement Agree(string who, byte version, byte[] body, ProtocolVersions mine)
    {
        // A greeting of version 1 says nothing of versions, and is that of version 1 alone.
        var lowest = version > 1 && body.Length > 0 ? body[0] : version;
        if (lowest == 0 || lowest > version)
            throw new RpcException(RpcStatus.InvalidPayload, $"the {who}'s greeting names no versions of the protocol");
        var theirs = new ProtocolVersions(version, lowest, Capabilities.None);
        if (mine.AgreeWith(theirs) is not { } agreed)
        {
            var older = theirs.Highest < mine.Highest ? $"the {who}" : "this side";
            throw new RpcException(
                RpcStatus.InvalidPayload,
                $"the {who} speaks {theirs} of the RPC protocol, this side {mine}; update {older}, by way of the versions between");
        }

        if (body.Length < Size)
            throw new RpcException(RpcStatus.InvalidPayload, $"the {who}'s greeting is too short");
        var capabilities = (Capabilities)BinaryPrimitives.ReadUInt64LittleEndian(body.AsSpan(CapabilitiesOffset));
        return new Agreement(agreed, capabilities & mine.Capabilities, ReadLimits(body.AsSpan(LimitsOffset)));
    }

    /// <summary>Gets the key in a greeting that was agreed with.</summary>
    public static ReadOnlySpan<byte> KeyOf(byte[] body) => body.AsSpan(KeyOffset, KeyExchange.KeySize);

    static PeerLimits ReadLimits(ReadOnlySpan<byte> fields)
    {
        var limits = new PeerLimits(
            BinaryPrimitives.ReadInt32LittleEndian(fields),
            BinaryPrimitives.ReadInt32LittleEndian(fields[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(fields[8..]),
            BinaryPrimitives.ReadInt32LittleEndian(fields[12..]));
        return limits is { MessageSize: > 0, CallsInFlight: > 0, StreamWindow: > 0, HeaderSize: > 0 and <= ushort.MaxValue }
            ? limits
            : throw new RpcException(RpcStatus.InvalidPayload, "the greeting names limits that allow nothing");
    }
}
