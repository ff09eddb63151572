namespace Datacake.Rpc.Framing;

/// <summary>
/// The receiver of a connection's frames: the calling side or the answering side. Its members are called by one thread at a time, except for
/// <see cref="OnClosed"/>.
/// </summary>
interface IFrameSink
{
    /// <summary>Processes a complete message. The sink must release it.</summary>
    void OnMessage(PayloadBuffer message);

    /// <summary>Processes a frame without a body.</summary>
    void OnSignal(FrameHeader frame);

    /// <summary>Processes the refusal of a message that was discarded because it exceeded a limit of this side.</summary>
    void OnRefused(uint id, string reason);

    /// <summary>Fails everything in flight, because the connection has ended. Called once, on any thread.</summary>
    void OnClosed(RpcException reason);
}
