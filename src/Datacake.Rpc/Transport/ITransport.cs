namespace Datacake.Rpc;

/// <summary>
/// The transport of bytes between nodes: <see cref="TcpTransport"/> by default, or <see cref="InMemoryTransport"/> in tests and
/// simulations. Wrap a transport to observe, delay or cut connections. Implementations must be thread-safe.
/// </summary>
public interface ITransport
{
    /// <summary>Begins to listen at an address. When the call returns, clients can connect.</summary>
    /// <param name="address">The address: <c>host:port</c> or <c>[v6 address]:port</c>. Port 0 selects a free port.</param>
    /// <param name="cancellationToken">A token that cancels the call.</param>
    /// <exception cref="RpcException">The address is malformed or in use (<see cref="RpcStatus.Connection"/>).</exception>
    ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default);

    /// <summary>Connects to a listener. There is no time limit other than the cancellation token.</summary>
    /// <exception cref="RpcException">
    /// There is no listener at the address, or it cannot be reached (<see cref="RpcStatus.Connection"/>).
    /// </exception>
    ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default);
}
