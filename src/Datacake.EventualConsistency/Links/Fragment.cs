using System.Buffers.Binary;

namespace Datacake.EventualConsistency.Links;

/// <summary>
/// A part of a message that is too long for one frame of a session's stream [R17]. On the wire: a byte 0, with which no message begins; the
/// lane; 1 for the first fragment of a message, else 0; the number of bytes from here to the end of the message, 32 bits, big-endian; and
/// as many of these bytes as fit.
/// </summary>
/// <remarks>See PROTOCOL.md: fragment.</remarks>
readonly ref struct Fragment
{
    /// <summary>
    /// The maximum length of a frame, in bytes. The RPC stream sends this many bytes at once, so that no frame waits for a part of another.
    /// </summary>
    public const int MaxFrameLength = 64 * 1024;

    /// <summary>The maximum length of a message, in bytes.</summary>
    public const int MaxMessageLength = 1024 * 1024 * 1024;

    const int HeaderLength = 3 + sizeof(uint);
    const byte Mark = 0;

    Fragment(MessageLane lane, bool isFirst, int rest, ReadOnlySpan<byte> bytes)
    {
        Lane = lane;
        IsFirst = isFirst;
        Rest = rest;
        Bytes = bytes;
    }

    public MessageLane Lane { get; }

    /// <summary>True if the message begins with this fragment. An incomplete earlier message of the lane was then given up.</summary>
    public bool IsFirst { get; }

    /// <summary>Gets the number of bytes of the message from this fragment on.</summary>
    public int Rest { get; }

    public ReadOnlySpan<byte> Bytes { get; }

    /// <summary>Returns true if a frame is a fragment rather than a whole message.</summary>
    public static bool IsOne(ReadOnlySpan<byte> frame) => frame is [Mark, ..];

    /// <summary>Writes the fragment of a message that begins at an offset.</summary>
    /// <returns>The length of the frame, and the number of bytes of the message in it.</returns>
    public static (int FrameLength, int Count) Write(Span<byte> frame, MessageLane lane, ReadOnlySpan<byte> message, int offset)
    {
        int count = Math.Min(message.Length - offset, MaxFrameLength - HeaderLength);
        frame[0] = Mark;
        frame[1] = (byte)lane;
        frame[2] = offset == 0 ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteInt32BigEndian(frame[3..], message.Length - offset);
        message.Slice(offset, count).CopyTo(frame[HeaderLength..]);
        return (HeaderLength + count, count);
    }

    /// <summary>Reads a fragment.</summary>
    /// <exception cref="InvalidDataException">The frame is not a fragment.</exception>
    public static Fragment Read(ReadOnlySpan<byte> frame)
    {
        if (frame.Length <= HeaderLength || frame[1] > (byte)MessageLane.Reply || frame[2] > 1)
            throw new InvalidDataException("A fragment of a message has an invalid header.");
        int rest = BinaryPrimitives.ReadInt32BigEndian(frame[3..]);
        var bytes = frame[HeaderLength..];
        return rest >= bytes.Length && rest <= MaxMessageLength
            ? new Fragment((MessageLane)frame[1], frame[2] == 1, rest, bytes)
            : throw new InvalidDataException($"A fragment of {bytes.Length} bytes says that {rest} bytes of its message are left; the limit is {MaxMessageLength}.");
    }
}
