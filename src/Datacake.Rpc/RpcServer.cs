using System.Net;
using System.Net.Sockets;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Logging;
using Datacake.Rpc.Sealing;
using Datacake.Rpc.Server;
using Datacake.Rpc.Transport;

namespace Datacake.Rpc;

/// <summary>
/// A server that listens at one address and answers calls with the services added to it. Thread-safe.
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
    readonly Dictionary<TransportConnection, Task> _clients = [];       // Under the lock: all accepted connections.
    readonly HashSet<ServerConnection> _connections = [];               // Under the lock: connections past their handshake.
    readonly Dictionary<string, int> _handshakes = [];                  // Under the lock: the number of unfinished handshakes per host.
    readonly Task _accepting;
    bool _isDisposed;                                                   // Under the lock.

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

    /// <summary>Gets the address at which the server listens, with the port that was actually bound.</summary>
    public string Address => _listener.Address;

    /// <summary>Gets the results of the handshakes with all clients.</summary>
    internal IReadOnlyList<Agreement> Agreements
    {
        get
        {
            lock (_gate)
                return [.. from connection in _connections select connection.Frames.Agreement];
        }
    }

    /// <summary>
    /// Starts a server. Until services are added, calls fail with <see cref="RpcStatus.UnknownService"/>.
    /// </summary>
    /// <param name="address">The address to listen at: <c>host:port</c>. Port 0 selects a free port.</param>
    /// <param name="options">The options of the server, or <see langword="null"/> for the defaults. Later changes of them have no effect.</param>
    /// <param name="cancellationToken">A token that cancels the start.</param>
    /// <exception cref="RpcException">The address is malformed or in use (<see cref="RpcStatus.Connection"/>).</exception>
    /// <exception cref="ArgumentException">An option is out of range.</exception>
    public static async ValueTask<RpcServer> StartAsync(
        string address, RpcServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new RpcServerOptions();
        options.Check();
        // A copy: later changes of the options have no effect.
        options = options with { Logger = new SafeLogger(options.Logger), Limits = options.Limits with { }, Tls = options.Tls is null ? null : options.Tls with { } };
        var listener = await options.Transport.ListenAsync(address, cancellationToken).ConfigureAwait(false);
        var tls = options.Tls is null ? null : new TlsHandshake(options.Tls, options.TimeProvider, options.Logger);
        return new RpcServer(listener, options, tls);
    }

    /// <inheritdoc cref="StartAsync(string, RpcServerOptions?, CancellationToken)"/>
    /// <param name="address">The address to listen at: <c>host:port</c>. Port 0 selects a free port.</param>
    /// <param name="configure">Sets the options of the server.</param>
    /// <param name="cancellationToken">A token that cancels the start.</param>
    public static ValueTask<RpcServer> StartAsync(string address, Action<RpcServerOptions> configure, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new RpcServerOptions();
        configure(options);
        return StartAsync(address, options, cancellationToken);
    }

    /// <summary>Adds a service, which can then be called immediately.</summary>
    /// <exception cref="ArgumentException">A service with this name already exists, or the name is empty or too long.</exception>
    public void AddService(RpcService service)
    {
        ArgumentNullException.ThrowIfNull(service);
        Route.CheckName(service.Name, nameof(service));
        var handlers = new RpcHandlers();
        service.Register(handlers);
        _services.Add(service.Name, handlers);
    }

    /// <summary>
    /// Removes a service. New calls fail with <see cref="RpcStatus.UnknownService"/>, and calls in flight are completed.
    /// </summary>
    /// <returns>True if the service existed.</returns>
    public bool RemoveService(string name) => _services.Remove(name);

    /// <summary>
    /// Stops listening, cancels the tokens of open streams, and lets calls in flight finish for
    /// <see cref="RpcServerOptions.DrainTimeout"/>. Then cancels the tokens of the remaining calls and closes all connections. Handlers
    /// that ignore their token for the same time again are abandoned.
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
                _log.AcceptFailed(error);       // For example, out of file handles. Other connections may end and release some.
                await Task.Delay(PauseAfterFailedAccept, _options.TimeProvider, _stopping.Token)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            _log.Accepted();
            if (TryServe(transport) is { } reason)
                await RefuseAsync(transport, reason).ConfigureAwait(false);
        }
    }

    /// <summary>Begins to serve a client. Returns the reason if it must be refused, or null if it is served.</summary>
    string? TryServe(TransportConnection transport)
    {
        var host = HostOf(transport);
        lock (_gate)
        {
            if (_clients.Count >= _options.Limits.Connections)
                return $"the server has reached its limit of {_options.Limits.Connections} connections (Connections).";
            if (_clients.Count - _connections.Count > _options.Limits.Connections / 2)
                return $"half of the {_options.Limits.Connections} connections (Connections) are unfinished handshakes.";
            var handshakes = _handshakes.GetValueOrDefault(host);
            if (handshakes >= _options.Limits.HandshakesPerHost)
                return $"{handshakes} handshakes with this host are already in progress (HandshakesPerHost).";
            _handshakes[host] = handshakes + 1;
            _clients.Add(transport, Task.Run(() => ServeAsync(transport)));
            return null;
        }
    }

    /// <summary>
    /// Returns the host of a connection. With IPv6, it is a whole /64 network, because that is usually one machine or one line, and each
    /// machine can use any number of its addresses.
    /// </summary>
    static string HostOf(TransportConnection transport)
    {
        if (!IPEndPoint.TryParse(transport.RemoteAddress, out var endpoint))
            return transport.RemoteAddress;
        var address = endpoint.Address.IsIPv4MappedToIPv6 ? endpoint.Address.MapToIPv4() : endpoint.Address;
        return address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes(), 0, 8) : address.ToString();
    }

    async Task RefuseAsync(TransportConnection transport, string reason)
    {
        ReportRefusal(transport, RpcStatus.LimitExceeded, reason);
        using var limit = new CancellationTokenSource(_options.Limits.HandshakeTime, _options.TimeProvider);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _stopping.Token);
        try
        {
            await HandshakeProtocol.RefuseAsync(transport.Stream, new RpcException(RpcStatus.LimitExceeded, reason), ends.Token)
                .ConfigureAwait(false);
        }
        catch (Exception)
        {
            // The client has left without waiting for the reason, does not read it, or the server is stopping.
        }

        await Closing.CloseAsync(transport).ConfigureAwait(false);
    }

    // Must not throw, because only the shutdown of the server awaits this task.
    async Task ServeAsync(TransportConnection transport)
    {
        var accepted = await ShakeHandsAsync(transport).ConfigureAwait(false);
        var host = HostOf(transport);
        lock (_gate)
        {
            if (--_handshakes[host] == 0)
                _handshakes.Remove(host);
        }

        if (accepted is { } connection)
        {
            lock (_gate)
            {
                if (!_isDisposed)
                    _connections.Add(connection);
                else
                    connection.Frames.Abort(new RpcException(RpcStatus.ShuttingDown, "The server is shutting down."));
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
                ? $"its handshake took longer than {_options.Limits.HandshakeTime} (HandshakeTime)."
                : error.Message;
            ReportRefusal(transport, (error as RpcException)?.Status ?? RpcStatus.Connection, reason);
            await Closing.CloseAsync(transport, stream).ConfigureAwait(false);
            return null;
        }
    }

    void ReportRefusal(TransportConnection transport, RpcStatus status, string reason)
    {
        _log.PeerRefused(transport.RemoteAddress, status, reason);
        Telemetry.ConnectionRefused(Telemetry.ServerSide, status);
    }
}
