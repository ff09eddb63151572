namespace Datacake.Rpc;

/// <summary>
/// A network inside the process: whoever shares an instance can reach one another by address. Same bytes and framing as TCP, no sockets.
/// </summary>
public sealed class InMemoryTransport : ITransport
{
    /// <inheritdoc/>
    public ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();

    /// <inheritdoc/>
    public ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default) =>
        throw new NotSupportedException();
}
