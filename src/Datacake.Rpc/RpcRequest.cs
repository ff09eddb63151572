using Datacake.Rpc.Framing;

namespace Datacake.Rpc;

/// <summary>A call as its handler sees it. Everything here is valid until the handler has finished, and not a moment longer.</summary>
public readonly struct RpcRequest
{
    readonly PayloadBuffer? _buffer;
    readonly int _version;

    internal RpcRequest(PayloadBuffer buffer, string remoteAddress)
    {
        _buffer = buffer;
        _version = buffer.Version;
        RemoteAddress = remoteAddress;
    }

    /// <summary>The message's bytes: a view over a pooled buffer, which is reused once the handler has finished.</summary>
    /// <exception cref="ObjectDisposedException">The handler has finished.</exception>
    public ReadOnlyMemory<byte> Payload => _buffer is null ? default : _buffer.GetPayload(_version);

    /// <summary>What the caller sent along. Decoded anew each time, and may be kept.</summary>
    /// <exception cref="ObjectDisposedException">The handler has finished.</exception>
    public RpcHeaders Headers => _buffer is null ? RpcHeaders.Empty : _buffer.GetHeaders(_version);

    /// <summary>The other end of the connection, as the transport names it.</summary>
    public string RemoteAddress { get; }
}
