namespace Datacake.Rpc;

/// <summary>
/// How bytes get from one node to another: <see cref="TcpTransport"/> by default, <see cref="InMemoryTransport"/> in tests and simulations.
/// Wrap one to watch, delay or cut connections. Implementations are safe to use from several threads.
/// </summary>
public interface ITransport
{
    /// <summary>Listens at an address, and returns once connections to it are possible.</summary>
    /// <param name="address"><c>host:port</c> or <c>[v6 address]:port</c>; port 0 picks a free one.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RpcException">The address is malformed or in use (<see cref="RpcStatus.Connection"/>).</exception>
    ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default);

    /// <summary>Connects to a listener. There is no time limit but the token's.</summary>
    /// <exception cref="RpcException">Nobody listens there, or it cannot be reached (<see cref="RpcStatus.Connection"/>).</exception>
    ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default);
}
