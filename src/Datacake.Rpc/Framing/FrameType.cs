namespace Datacake.Rpc.Framing;

/// <summary>What a frame is. The numbers are the wire format.</summary>
enum FrameType : byte
{
    /// <summary>Caller: a call. Meta: route. Value: time limit in ms, 0 for none.</summary>
    Request = 1,

    /// <summary>Handler: the answer. For a stream: the handler has returned; no payload.</summary>
    Reply = 2,

    /// <summary>Handler: the call or stream failed. Value: <see cref="RpcStatus"/>. Payload: the message, UTF-8.</summary>
    Error = 3,

    /// <summary>Goes on with the payload of the last frame of this id that had <see cref="FrameFlags.More"/>.</summary>
    Chunk = 4,

    /// <summary>Caller: gave up on the call or stream.</summary>
    Cancel = 5,

    /// <summary>Caller: opens a stream. Meta: route.</summary>
    OpenStream = 6,

    /// <summary>Handler: the stream is open.</summary>
    Accept = 7,

    /// <summary>One message of a stream.</summary>
    Message = 8,

    /// <summary>Value: how many more bytes of the stream the sender may send.</summary>
    Credit = 9,

    /// <summary>No more messages of this stream from here.</summary>
    Complete = 10,

    /// <summary>Are you there?</summary>
    Ping = 11,

    /// <summary>Yes.</summary>
    Pong = 12,

    /// <summary>Server: takes no new calls; those in flight are finished.</summary>
    Shutdown = 13,
}
