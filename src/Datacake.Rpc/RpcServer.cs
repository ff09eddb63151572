using System.Net;
using System.Net.Sockets;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Logging;
using Datacake.Rpc.Server;

namespace Datacake.Rpc;

/// <summary>
/// Listens at one address and answers calls with the services that were added to it. Safe to use from several threads.
/// </summary>
public sealed class RpcServer : IAsyncDisposable
{
    static readonly TimeSpan PauseAfterFailedAccept = TimeSpan.FromMilliseconds(100);

    readonly ITransportListener _listener;
    readonly RpcServerOptions _options;
    readonly ClusterSecrets _secrets;
    readonly TlsHandshake? _tls;
    readonly ServerLog _log;
    readonly ByteBudget _buffered;
    readonly ServiceTable _services = new();
    readonly CancellationTokenSource _stopping = new();
    readonly Lock _gate = new();
    readonly Dictionary<TransportConnection, Task> _clients = [];       // under the lock; all that were accepted
    readonly HashSet<ServerConnection> _connections = [];               // under the lock; those of them that are past the handshake
    readonly Dictionary<string, int> _handshakes = [];                  // under the lock; how many of each host are not
    readonly Task _accepting;
    bool _isDisposed;                                                   // under the lock

    RpcServer(ITransportListener listener, RpcServerOptions options, TlsHandshake? tls)
    {
        _tls = tls;
        _log = new ServerLog(options.Logger, options.TimeProvider, listener.Address);
        _buffered = new ByteBudget(options.Limits.TotalBufferedBytes);
        _listener = listener;
        _options = options;
        _secrets = ClusterSecrets.Of(options.ClusterSecret, options.AcceptedClusterSecrets);
        _log.Listening();
        _accepting = Task.Run(AcceptAsync);
    }

    /// <summary>The address it listens at, with the port that was really bound.</summary>
    public string Address => _listener.Address;

    /// <summary>The agreement with each client.</summary>
    internal IReadOnlyList<Agreement> Agreements
    {
        get
        {
            lock (_gate)
                return [.. from connection in _connections select connection.Frames.Agreement];
        }
    }

    /// <summary>Starts to listen. Calls are answered with <see cref="RpcStatus.UnknownService"/> until services are added.</summary>
    /// <param name="address"><c>host:port</c>; port 0 picks a free one.</param>
    /// <param name="options">How the server runs.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="RpcException">The address is malformed or in use (<see cref="RpcStatus.Connection"/>).</exception>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public static async ValueTask<RpcServer> StartAsync(
        string address, RpcServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new RpcServerOptions();
        options.Check();
        options = options with { Logger = new SafeLogger(options.Logger) };
        var listener = await options.Transport.ListenAsync(address, cancellationToken).ConfigureAwait(false);
        var tls = options.Tls is null ? null : new TlsHandshake(options.Tls, options.TimeProvider, options.Logger);
        return new RpcServer(listener, options, tls);
    }

    /// <summary>Adds a service; calls reach it from now on.</summary>
    /// <exception cref="ArgumentException">A service of that name is there already, or the name is empty or too long.</exception>
    public void AddService(RpcService service)
    {
        ArgumentNullException.ThrowIfNull(service);
        Route.CheckName(service.Name, nameof(service));
        var handlers = new RpcHandlers();
        service.Register(handlers);
        _services.Add(service.Name, handlers);
    }

    /// <summary>Removes a service: new calls get <see cref="RpcStatus.UnknownService"/>, those in flight are finished.</summary>
    /// <returns>False when there was no service of that name.</returns>
    public bool RemoveService(string name) => _services.Remove(name);

    /// <summary>
    /// Stops listening, fires the tokens of open streams, lets calls in flight finish for <see cref="RpcServerOptions.DrainTimeout"/>,
    /// then fires their tokens, and closes all connections. Handlers that ignore their token for as long again are left to themselves.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        List<ServerConnection> connections;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            connections = [.. _connections];
        }

        await _listener.DisposeAsync().ConfigureAwait(false);
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(false);
        await Task.WhenAll(connections.Select(connection => connection.ShutDownAsync())).ConfigureAwait(false);
        Task[] clients;
        lock (_gate)
            clients = [.. _clients.Values];
        await Task.WhenAll(clients).ConfigureAwait(false);
        _stopping.Dispose();
        _log.Dispose();
        _tls?.Dispose();
    }

    async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            TransportConnection transport;
            try
            {
                transport = await _listener.AcceptAsync(_stopping.Token).ConfigureAwait(false);
            }
            catch (Exception) when (Volatile.Read(ref _isDisposed))
            {
                return;
            }
            catch (Exception error)
            {
                _log.AcceptFailed(error);       // out of file handles, say: others may end and free some
                await Task.Delay(PauseAfterFailedAccept, _options.TimeProvider, _stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            _log.Accepted();
            if (TryServe(transport) is { } reason)
                await TurnAwayAsync(transport, reason).ConfigureAwait(false);
        }
    }

    /// <summary>Returns why a client is not served; null if it is.</summary>
    string? TryServe(TransportConnection transport)
    {
        var host = HostOf(transport);
        lock (_gate)
        {
            if (_clients.Count >= _options.Limits.Connections)
                return $"the server has its {_options.Limits.Connections} connections (Connections)";
            if (_clients.Count - _connections.Count > _options.Limits.Connections / 2)
                return $"half of the {_options.Limits.Connections} connections (Connections) are unfinished handshakes";
            var handshakes = _handshakes.GetValueOrDefault(host);
            if (handshakes >= _options.Limits.HandshakesPerHost)
                return $"{handshakes} handshakes with this host are under way (HandshakesPerHost)";
            _handshakes[host] = handshakes + 1;
            _clients.Add(transport, Task.Run(() => ServeAsync(transport)));
            return null;
        }
    }

    /// <summary>
    /// Returns who counts as one host: with IPv6 a whole /64, which mostly is one machine or one line, and of which each machine can take any number of addresses.
    /// </summary>
    static string HostOf(TransportConnection transport)
    {
        if (!IPEndPoint.TryParse(transport.RemoteAddress, out var endpoint))
            return transport.RemoteAddress;
        var address = endpoint.Address.IsIPv4MappedToIPv6 ? endpoint.Address.MapToIPv4() : endpoint.Address;
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes(), 0, 8) : address.ToString();
    }

    async Task TurnAwayAsync(TransportConnection transport, string reason)
    {
        Refused(transport, RpcStatus.LimitExceeded, reason);
        using var limit = new CancellationTokenSource(_options.Limits.HandshakeTime, _options.TimeProvider);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
        try
        {
            await HandshakeProtocol.RefuseAsync(transport.Stream, new RpcException(RpcStatus.LimitExceeded, reason), ends.Token)
                .ConfigureAwait(false);
        }
        catch (Exception)
        {
            // It has gone without waiting for the reason, does not take it, or we are stopping.
        }

        await Closing.CloseAsync(transport).ConfigureAwait(false);
    }

    // Throws nothing: whoever stops the server waits for it, and nobody else does.
    async Task ServeAsync(TransportConnection transport)
    {
        var shaken = await ShakeHandsAsync(transport).ConfigureAwait(false);
        var host = HostOf(transport);
        lock (_gate)
        {
            if (--_handshakes[host] == 0)
                _handshakes.Remove(host);
        }

        if (shaken is { } connection)
        {
            lock (_gate)
            {
                if (!_isDisposed)
                    _connections.Add(connection);
                else
                    connection.Frames.Abort(new RpcException(RpcStatus.ShuttingDown, "The server is shutting down"));
            }

            using (connection)
                await connection.RunAsync().ConfigureAwait(false);
            lock (_gate)
                _connections.Remove(connection);
        }

        lock (_gate)
            _clients.Remove(transport);
    }

    async Task<ServerConnection?> ShakeHandsAsync(TransportConnection transport)
    {
        using var limit = new CancellationTokenSource(_options.Limits.HandshakeTime, _options.TimeProvider);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
        var stream = transport.Stream;
        try
        {
            RpcException? refusal = null;
            DateTimeOffset? expires = null;
            byte[]? certificate = null;
            if (_tls is not null)
            {
                var tls = await _tls.AcceptAsync(stream, ends.Token).ConfigureAwait(false);
                (stream, refusal, expires) = tls;
                certificate = tls.Binding(isServer: true);
            }

            (var agreement, stream) = await HandshakeProtocol.AcceptAsync(
                stream, _options.Limits, _options.Versions, _secrets, certificate, refusal, _options.TimeProvider, ends.Token).ConfigureAwait(false);
            var frames = new FrameConnection(
                transport, stream, Telemetry.ServerSide, _options.Limits, agreement, _options.TimeProvider, _buffered);
            return new ServerConnection(frames, _services, _options, _log, Address, expires);
        }
        catch (Exception error)
        {
            var reason = error is OperationCanceledException && limit.IsCancellationRequested
                ? $"its handshake took longer than {_options.Limits.HandshakeTime} (HandshakeTime)"
                : error.Message;
            Refused(transport, (error as RpcException)?.Status ?? RpcStatus.Connection, reason);
            await Closing.CloseAsync(transport, stream).ConfigureAwait(false);
            return null;
        }
    }

    void Refused(TransportConnection transport, RpcStatus status, string reason)
    {
        _log.PeerRefused(transport.RemoteAddress, status, reason);
        Telemetry.ConnectionRefused(Telemetry.ServerSide, status);
    }
}
