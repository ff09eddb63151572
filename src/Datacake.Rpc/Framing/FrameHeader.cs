using System.Buffers.Binary;

namespace Datacake.Rpc.Framing;

/// <summary>
/// The header of every frame: 16 bytes, little-endian. It consists of body length (4), type (1), flags (1), meta length (2), id (4) and
/// value (4). The body is the meta (route and headers) followed by the payload.
/// </summary>
readonly record struct FrameHeader(FrameType Type, FrameFlags Flags, uint Id, uint Value, int MetaLength, int BodyLength)
{
    public const int Size = 16;

    /// <summary>
    /// The maximum payload of one frame, in bytes. A larger payload is sent in chunks, so that small calls can pass between them.
    /// </summary>
    public const int MaxPayload = 64 * 1024;

    public bool HasMore => (Flags & FrameFlags.More) != 0;

    public static FrameHeader Read(ReadOnlySpan<byte> source) => new(
        (FrameType)source[4],
        (FrameFlags)source[5],
        BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
        BinaryPrimitives.ReadUInt32LittleEndian(source[12..]),
        BinaryPrimitives.ReadUInt16LittleEndian(source[6..]),
        BinaryPrimitives.ReadInt32LittleEndian(source));

    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, BodyLength);
        target[4] = (byte)Type;
        target[5] = (byte)Flags;
        BinaryPrimitives.WriteUInt16LittleEndian(target[6..], (ushort)MetaLength);
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Id);
        BinaryPrimitives.WriteUInt32LittleEndian(target[12..], Value);
    }

    /// <summary>Throws if no correct peer would send this header.</summary>
    /// <exception cref="RpcException">The header is malformed or too large.</exception>
    public void Check(int maxMetaLength)
    {
        if (Type is < FrameType.Request or > FrameType.Shutdown)
            throw new RpcException(RpcStatus.InvalidPayload, $"frame type {(byte)Type} is unknown.");
        if ((Flags & ~FrameFlags.More) != 0)
            throw new RpcException(RpcStatus.InvalidPayload, $"frame flags 0x{(byte)Flags:X2} are unknown.");
        if (MetaLength > maxMetaLength)
        {
            throw new RpcException(
                RpcStatus.LimitExceeded, $"route and headers of a call have {MetaLength} bytes, but the limit is {maxMetaLength} (HeaderSize).");
        }

        if (BodyLength < MetaLength || BodyLength - MetaLength > MaxPayload)
        {
            throw new RpcException(
                RpcStatus.InvalidPayload, $"a frame announces an invalid body of {BodyLength} bytes with {MetaLength} bytes of meta.");
        }

        var mayHaveMeta = Type is FrameType.Request or FrameType.OpenStream;
        var mayHavePayload = Type is FrameType.Request or FrameType.Reply or FrameType.Error or FrameType.Chunk or FrameType.Message;
        var mayHaveMore = Type is FrameType.Request or FrameType.Reply or FrameType.Chunk or FrameType.Message;
        if ((MetaLength > 0 && !mayHaveMeta) || (BodyLength > MetaLength && !mayHavePayload) || (HasMore && !mayHaveMore))
        {
            throw new RpcException(
                RpcStatus.InvalidPayload, $"a frame of type {Type} has meta, a payload or a flag that this type does not allow.");
        }
    }
}
