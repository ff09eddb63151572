using System.Buffers.Binary;
using System.Security.Cryptography;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Sealing;

namespace Datacake.Rpc.Handshake;

/// <summary>
/// The body of the first step of each side. It consists of lowest version (1 byte), capabilities (8), message size, calls in flight, stream
/// window and header size (4 each), a random number (32), all little-endian, and the public key of the key exchange (64; zeros without a
/// secret). The highest version is in the header of the step. Later versions append fields, which earlier versions skip. The existing
/// fields never move.
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

    /// <summary>Determines the agreement with the other side from its greeting.</summary>
    /// <exception cref="RpcException">The sides have no version in common, or the greeting is malformed.</exception>
    public static Agreement Agree(string peer, byte version, byte[] body, ProtocolVersions mine)
    {
        // A greeting of version 1 does not contain a lowest version. Its sender supports only version 1.
        var lowest = version > 1 && body.Length > 0 ? body[0] : version;
        if (lowest == 0 || lowest > version)
            throw new RpcException(RpcStatus.InvalidPayload, $"the {peer}'s greeting contains no valid versions of the protocol.");
        var theirs = new ProtocolVersions(version, lowest, Capabilities.None);
        if (mine.AgreeWith(theirs) is not { } agreed)
        {
            var older = theirs.Highest < mine.Highest ? $"the {peer}" : "this side";
            throw new RpcException(
                RpcStatus.InvalidPayload,
                $"the {peer} speaks {theirs} of the RPC protocol, but this side speaks {mine}. Update {older}, one version at a time.");
        }

        if (body.Length < Size)
            throw new RpcException(RpcStatus.InvalidPayload, $"the {peer}'s greeting is too short.");
        var capabilities = (Capabilities)BinaryPrimitives.ReadUInt64LittleEndian(body.AsSpan(CapabilitiesOffset));
        return new Agreement(agreed, capabilities & mine.Capabilities, ReadLimits(body.AsSpan(LimitsOffset)));
    }

    /// <summary>Returns the public key in a greeting that <see cref="Agree"/> has accepted.</summary>
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
            : throw new RpcException(RpcStatus.InvalidPayload, "the greeting contains invalid limits.");
    }
}
