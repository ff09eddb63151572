namespace Datacake.Rpc;

/// <summary>A call as its handler sees it. Everything here is valid until the handler has finished, and not a moment longer.</summary>
public readonly struct RpcRequest
{
    readonly ReadOnlyMemory<byte> _payload;

    internal RpcRequest(ReadOnlyMemory<byte> payload, string remoteAddress)
    {
        _payload = payload;
        RemoteAddress = remoteAddress;
    }

    /// <summary>The message's bytes: a view over a pooled buffer, which is reused once the handler has finished.</summary>
    public ReadOnlyMemory<byte> Payload => _payload;

    /// <summary>The other end of the connection, as the transport names it.</summary>
    public string RemoteAddress { get; }
}
