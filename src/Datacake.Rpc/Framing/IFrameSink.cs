namespace Datacake.Rpc.Framing;

/// <summary>
/// What a connection does with its frames: the calling side or the answering side. Called by one thread at a time, but for
/// <see cref="OnClosed"/>.
/// </summary>
interface IFrameSink
{
    /// <summary>A whole message has arrived, and is the sink's to release.</summary>
    void OnMessage(PayloadBuffer message);

    /// <summary>A frame without a body has arrived.</summary>
    void OnSignal(FrameHeader frame);

    /// <summary>A message was thrown away, since it broke a limit of this side.</summary>
    void OnRefused(uint id, string reason);

    /// <summary>The connection is gone: everything in flight on it fails now. Called once, from any thread.</summary>
    void OnClosed(RpcException reason);
}
