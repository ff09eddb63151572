namespace Datacake.Rpc.Framing;

/// <summary>The types of frames. The numbers are part of the wire format.</summary>
enum FrameType : byte
{
    /// <summary>A call, from the caller. Meta: route and headers. Value: time limit in ms, 0 for none.</summary>
    Request = 1,

    /// <summary>The reply of a handler. For a stream, it has no payload and means that the handler has returned.</summary>
    Reply = 2,

    /// <summary>
    /// A failure of a call or stream, from the handler's side. Value: <see cref="RpcStatus"/>. Payload: the message, in UTF-8.
    /// </summary>
    Error = 3,

    /// <summary>A continuation of the payload of the last frame with this id, which had <see cref="FrameFlags.More"/>.</summary>
    Chunk = 4,

    /// <summary>A cancellation of a call or stream, from the caller.</summary>
    Cancel = 5,

    /// <summary>A request to open a stream, from the caller. Meta: route and headers.</summary>
    OpenStream = 6,

    /// <summary>The acceptance of a stream, from the handler's side.</summary>
    Accept = 7,

    /// <summary>A message of a stream.</summary>
    Message = 8,

    /// <summary>Credit for a stream. Value: the number of further bytes that the other side may send.</summary>
    Credit = 9,

    /// <summary>The end of the messages that this side sends on a stream.</summary>
    Complete = 10,

    /// <summary>A question whether the peer is still there.</summary>
    Ping = 11,

    /// <summary>The answer to a ping.</summary>
    Pong = 12,

    /// <summary>The announcement of a server that it accepts no new calls. Calls in flight are completed.</summary>
    Shutdown = 13,
}
