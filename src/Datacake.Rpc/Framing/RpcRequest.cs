using Datacake.Rpc.Framing;

namespace Datacake.Rpc;

/// <summary>A received call. Its payload and headers can be accessed only until the handler has finished.</summary>
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

    /// <summary>Gets the bytes of the message: a view of a pooled buffer, which is reused when the handler has finished.</summary>
    /// <exception cref="ObjectDisposedException">The handler has finished.</exception>
    public ReadOnlyMemory<byte> Payload => _buffer is null ? default : _buffer.GetPayload(_version);

    /// <summary>Gets the headers that the caller sent. They are decoded on each access, and the returned object stays valid.</summary>
    /// <exception cref="ObjectDisposedException">The handler has finished.</exception>
    public RpcHeaders Headers => _buffer is null ? RpcHeaders.Empty : _buffer.GetHeaders(_version);

    /// <summary>Gets the address of the other end of the connection, in the notation of the transport.</summary>
    public string RemoteAddress { get; }
}
