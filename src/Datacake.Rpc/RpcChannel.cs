using System.Buffers;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Datacake.Rpc.Client;
using Datacake.Rpc.Contracts;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Logging;
using Datacake.Rpc.Sealing;
using Datacake.Rpc.Transport;

namespace Datacake.Rpc;

/// <summary>
/// A client of the services at one address. All calls and streams share one connection. The channel connects with the first call, and again
/// with the first call after the connection was lost. After a failed attempt, it pauses before the next one, longer each time, and fails
/// calls meanwhile. Thread-safe. Calls complete on the thread pool.
/// </summary>
public sealed class RpcChannel : IAsyncDisposable
{
    /// <summary>The minimum duration of a connection whose loss is logged individually. Shorter connections are only counted.</summary>
    static readonly TimeSpan StableTime = TimeSpan.FromMinutes(1);

    readonly RpcChannelOptions _options;
    readonly ClusterSecrets _secrets;
    readonly TlsHandshake? _tls;
    readonly Random _random;                                    // Under the lock.
    readonly CancellationTokenSource _disposing = new();
    readonly ItemPool<ArrayBufferWriter<byte>> _writers;
    readonly RepeatedEvent _failing;                            // Active from the first failure until a connection is stable.
    readonly Lock _gate = new();
    readonly Dictionary<ClientConnection, Task> _running = [];  // Under the lock: the current connection, and those that are still draining.
    volatile ClientConnection? _connection;                     // Written under the lock.
    Task<ClientConnection>? _connecting;                        // Under the lock.
    int _failures;                                              // Under the lock: consecutive attempts without a lasting connection.
    long _nextAttempt;                                          // Under the lock: a timestamp.
    RpcException? _lastFailure;                                 // Under the lock.
    bool _isUnstable;                                           // Under the lock: true if the last connection was lost too early.
    bool _isDisposed;                                           // Under the lock.

    /// <summary>Initializes a channel to an address. It does not connect until the first call.</summary>
    /// <param name="address">The address of the server: <c>host:port</c> or <c>[v6 address]:port</c>.</param>
    /// <param name="options">The options of the channel. Later changes of them have no effect.</param>
    /// <exception cref="ArgumentException">The address is empty, or an option is out of range.</exception>
    public RpcChannel(string address, RpcChannelOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        // A copy: later changes of the options have no effect.
        _options = options with { Logger = new SafeLogger(options.Logger), Limits = options.Limits with { }, Tls = options.Tls is null ? null : options.Tls with { } };
        _secrets = ClusterSecrets.Of(_options.ClusterSecret, []);
        _tls = _options.Tls is null ? null : new TlsHandshake(_options.Tls, _options.TimeProvider, _options.Logger);
        _random = new Random(_options.Seed ?? RandomNumberGenerator.GetInt32(int.MaxValue));
        _nextAttempt = _options.TimeProvider.GetTimestamp();
        _writers = new ItemPool<ArrayBufferWriter<byte>>(_options.Limits.CallsInFlight, () => new ArrayBufferWriter<byte>());
        Address = address;
        _failing = new RepeatedEvent(
            _options.TimeProvider,
            more => Log.StillNotConnected(_options.Logger, address, more.Count, more.Time, more.Last),
            all => Log.NoMoreFailures(_options.Logger, address, all.Count));
    }

    /// <inheritdoc cref="RpcChannel(string, RpcChannelOptions)"/>
    /// <param name="address">The address of the server: <c>host:port</c> or <c>[v6 address]:port</c>.</param>
    /// <param name="configure">Sets the options of the channel.</param>
    public RpcChannel(string address, Action<RpcChannelOptions> configure)
        : this(address, Configured(configure))
    {
    }

    /// <inheritdoc cref="RpcChannel(string, RpcChannelOptions)"/>
    /// <param name="address">The address of the server: <c>host:port</c> or <c>[v6 address]:port</c>.</param>
    public RpcChannel(string address)
        : this(address, new RpcChannelOptions())
    {
    }

    /// <summary>Gets the result of the handshake with the server, or null while there is no connection.</summary>
    internal Agreement? Agreement => _connection?.Frames.Agreement;

    /// <summary>Gets the address of the server.</summary>
    public string Address { get; }

    /// <summary>Sends a typed message and waits for its reply.</summary>
    /// <exception cref="RpcException">The call failed. <see cref="RpcException.Status"/> contains the reason.</exception>
    /// <exception cref="OperationCanceledException">
    /// The token was canceled. The server is notified, but may already have done the work.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The channel was disposed.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<TReply> CallAsync<TMessage, TReply>(
        string service, TMessage message, RpcCallOptions options = default, CancellationToken cancellationToken = default)
        where TMessage : IRpcMessage<TMessage>
        where TReply : IRpcMessage<TReply>
    {
        var writer = _writers.Rent();
        TypedMessage.Write(writer, message);
        using var reply = await CallAsync(service, TMessage.Name, writer.WrittenMemory, options, cancellationToken).ConfigureAwait(false);
        TypedMessage.Recycle(writer, _writers);
        return TypedMessage.Read<TReply>(reply.Memory);
    }

    /// <summary>
    /// Sends bytes and waits for the reply, which the caller must dispose. The payload may be reused when the call has completed.
    /// </summary>
    /// <exception cref="RpcException">The call failed. <see cref="RpcException.Status"/> contains the reason.</exception>
    /// <exception cref="OperationCanceledException">
    /// The token was canceled. The server is notified, but may already have done the work.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The channel was disposed.</exception>
    public ValueTask<RpcPayload> CallAsync(
        string service,
        string message,
        ReadOnlyMemory<byte> payload,
        RpcCallOptions options = default,
        CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<RpcPayload>(cancellationToken);
        return Telemetry.IsObserved || Activity.Current is not null
            ? CallObservedAsync(service, message, payload, options, cancellationToken)
            : CallUnobservedAsync(service, message, payload, options, cancellationToken);
    }

    /// <summary>Opens a stream to a service. Completes when the server has accepted the stream.</summary>
    /// <exception cref="RpcException">The stream was not accepted. <see cref="RpcException.Status"/> contains the reason.</exception>
    /// <exception cref="OperationCanceledException">The token was canceled.</exception>
    /// <exception cref="ObjectDisposedException">The channel was disposed.</exception>
    public async ValueTask<RpcStream> OpenStreamAsync(
        string service, string message, RpcCallOptions options = default, CancellationToken cancellationToken = default)
    {
        var observation = CallObservation.OfClient(service, message, Address, _options.TimeProvider);
        try
        {
            options = options with { Headers = CallObservation.WithTrace(options.Headers) };
            var stream = await OpenStreamUnobservedAsync(service, message, options, cancellationToken).ConfigureAwait(false);
            observation.End(failure: null);
            return stream;
        }
        catch (Exception error)
        {
            observation.End(error);
            throw;
        }
    }

    /// <summary>Fails calls and streams in flight with <see cref="RpcStatus.Canceled"/> and closes the connection.</summary>
    public async ValueTask DisposeAsync()
    {
        Task<ClientConnection>? connecting;
        lock (_gate)
        {
            if (_isDisposed)
                return;
            _isDisposed = true;
            connecting = _connecting;
        }

        await _disposing.CancelAsync().ConfigureAwait(false);
        if (connecting is not null)
            await ((Task)connecting).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        KeyValuePair<ClientConnection, Task>[] running;
        lock (_gate)
            running = [.. _running];
        foreach (var (connection, _) in running)
            connection.Frames.Abort(DisposedError());
        await Task.WhenAll(running.Select(pair => pair.Value)).ConfigureAwait(false);
        _disposing.Dispose();
        _failing.Dispose();
        _tls?.Dispose();
    }

    ValueTask<RpcPayload> CallUnobservedAsync(
        string service, string message, ReadOnlyMemory<byte> payload, in RpcCallOptions options, CancellationToken cancellationToken)
    {
        var timeout = options.Timeout ?? _options.CallTimeout;
        return payload.Length <= FrameHeader.MaxPayload
            && !TimeRange.IsOver(timeout)
            && _connection?.TryCall(service, message, options.Headers, payload.Span, timeout, cancellationToken) is { } call
            ? call.Task
            : CallSlowlyAsync(service, message, payload, options, cancellationToken);
    }

    async ValueTask<RpcStream> OpenStreamUnobservedAsync(
        string service, string message, RpcCallOptions options, CancellationToken cancellationToken)
    {
        var timeout = options.Timeout ?? _options.CallTimeout;
        var start = _options.TimeProvider.GetTimestamp();
        while (true)
        {
            var connection = await GetReadyConnectionAsync(timeout, start, options.WaitForConnection, cancellationToken).ConfigureAwait(false);
            var remaining = Remaining(timeout, start);
            if (await connection.OpenStreamAsync(service, message, options.Headers, remaining, cancellationToken).ConfigureAwait(false)
                is { } stream)
                return stream;
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    async ValueTask<RpcPayload> CallObservedAsync(
        string service, string message, ReadOnlyMemory<byte> payload, RpcCallOptions options, CancellationToken cancellationToken)
    {
        var observation = CallObservation.OfClient(service, message, Address, _options.TimeProvider);
        try
        {
            options = options with { Headers = CallObservation.WithTrace(options.Headers) };
            var reply = await CallUnobservedAsync(service, message, payload, options, cancellationToken).ConfigureAwait(false);
            observation.End(failure: null);
            return reply;
        }
        catch (Exception error)
        {
            observation.End(error);
            throw;
        }
    }

    async ValueTask<RpcPayload> CallSlowlyAsync(
        string service, string message, ReadOnlyMemory<byte> payload, RpcCallOptions options, CancellationToken cancellationToken)
    {
        var timeout = options.Timeout ?? _options.CallTimeout;
        var start = _options.TimeProvider.GetTimestamp();
        while (true)
        {
            var connection = await GetReadyConnectionAsync(timeout, start, options.WaitForConnection, cancellationToken).ConfigureAwait(false);
            var remaining = Remaining(timeout, start);
            if (await connection.CallAsync(service, message, options.Headers, payload, remaining, cancellationToken).ConfigureAwait(false)
                is { } reply)
                return reply;
        }
    }

    /// <summary>Waits for a connection with a free slot, within the time limit of the call.</summary>
    async ValueTask<ClientConnection> GetReadyConnectionAsync(TimeSpan timeout, long start, bool wait, CancellationToken cancellationToken)
    {
        if (TimeRange.IsOver(timeout))
        {
            throw new RpcException(
                RpcStatus.Timeout, $"A call to {Address} was not sent, because its time limit of {timeout} has already passed.");
        }

        while (true)
        {
            var remaining = Remaining(timeout, start);
            using var limit = new CancellationTokenSource(TimeRange.ForOneTimer(remaining), _options.TimeProvider);
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
            try
            {
                var connection = await GetConnectionAsync(wait, ends.Token).ConfigureAwait(false);
                await connection.WaitForSlotAsync(ends.Token).ConfigureAwait(false);
                return connection;
            }
            catch (OperationCanceledException) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                if (remaining <= TimeRange.Longest)
                {
                    throw new RpcException(
                        RpcStatus.Timeout,
                        $"A call to {Address} was not sent, because there was no connection or no free slot within {timeout}.");
                }
            }
        }
    }

    // Never zero. A call whose time is up must still register and then fail by its deadline, so that it passes on the slot that it was
    // woken for.
    TimeSpan Remaining(TimeSpan timeout, long start)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
            return timeout;
        var remaining = timeout - _options.TimeProvider.GetElapsedTime(start);
        return remaining > TimeSpan.FromMilliseconds(1) ? remaining : TimeSpan.FromMilliseconds(1);
    }

    async ValueTask<ClientConnection> GetConnectionAsync(bool wait, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task<ClientConnection>? connecting;
            var pause = TimeSpan.Zero;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, this);
                if (_connection is { IsOpen: true } connection)
                    return connection;
                if (_connecting is null)
                {
                    pause = _options.TimeProvider.GetElapsedTime(_options.TimeProvider.GetTimestamp(), _nextAttempt);
                    if (pause <= TimeSpan.Zero)
                        StartConnecting();
                    else if (!wait)
                        throw NotConnectedError(pause);
                }

                connecting = _connecting;
            }

            if (connecting is null)
            {
                // Timers count whole milliseconds. Rounding down would spend the rest of the pause spinning.
                pause = TimeSpan.FromMilliseconds(Math.Ceiling(pause.TotalMilliseconds));
                await Task.Delay(pause, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
                continue;
            }

            try
            {
                return await connecting.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (RpcException failure) when (wait && failure.Status is not RpcStatus.Unauthenticated)
            {
            }
        }
    }

    // Under the lock.
    void StartConnecting()
    {
        // The work of the connection must not run in the execution context of the caller that happens to start it.
        using (ExecutionContext.SuppressFlow())
            _connecting = Task.Run(ConnectAsync);
        _ = ObserveAsync(_connecting);
    }

    // All callers may have given up by the time the task fails. The failure has been logged by then.
    static RpcChannelOptions Configured(Action<RpcChannelOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);
        var options = new RpcChannelOptions();
        configure(options);
        return options;
    }

    static async Task ObserveAsync(Task task) => await task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    // Under the lock.
    RpcException NotConnectedError(TimeSpan pause)
    {
        var failure = _lastFailure ?? new RpcException(RpcStatus.Connection, $"The connection to {Address} was lost.");
        return new RpcException(
            failure.Status, $"{Log.Clause(failure.Message)}. The next attempt is in {pause.TotalMilliseconds:F0} ms.", failure);
    }

    async Task<ClientConnection> ConnectAsync()
    {
        try
        {
            var connection = await ShakeHandsAsync().ConfigureAwait(false);
            bool isUnstable;
            lock (_gate)
            {
                isUnstable = _isUnstable;
                _connecting = null;
                _connection = connection;
                _running.Add(connection, Task.Run(() => RunAsync(connection)));
                if (_isDisposed)
                    connection.Frames.Abort(DisposedError());
            }

            if (isUnstable)
                return connection;      // Not logged until it has proved to be stable.
            if (_failing.End() is { } failures)
                Log.ConnectedAgain(_options.Logger, Address, failures.Count, failures.Time);
            else
                Log.Connected(_options.Logger, Address);
            return connection;
        }
        catch (Exception error)
        {
            var failure = error as RpcException
                ?? new RpcException(RpcStatus.Connection, $"Cannot connect to {Address}: {Log.Clause(error.Message)}.", error);
            lock (_gate)
            {
                _connecting = null;
                _isUnstable = false;
                _lastFailure = failure;
                _failures++;
                PauseBeforeNextAttempt(_failures);
            }

            Telemetry.ConnectionRefused(Telemetry.ClientSide, failure.Status);
            if (failure.Status != RpcStatus.Canceled && _failing.Occurs(failure.Status.ToString(), failure.Message))
                Log.ConnectFailed(_options.Logger, Address, Log.Clause(failure.Message));
            throw failure;
        }
    }

    async Task<ClientConnection> ShakeHandsAsync()
    {
        using var limit = new CancellationTokenSource(_options.Limits.HandshakeTime, _options.TimeProvider);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, _disposing.Token);
        TransportConnection? transport = null;
        Stream? stream = null;
        try
        {
            transport = await _options.Transport.ConnectAsync(Address, ends.Token).ConfigureAwait(false);
            stream = transport.Stream;
            DateTimeOffset? expires = null;
            byte[]? certificate = null;
            if (_tls is not null)
            {
                var tls = await _tls.ConnectAsync(stream, Address, ends.Token).ConfigureAwait(false);
                (stream, _, expires) = tls;
                certificate = tls.Binding(isServer: false);
            }

            (var agreement, stream) = await HandshakeProtocol.ConnectAsync(
                stream, _options.Limits, _options.Versions, _secrets, certificate, ends.Token).ConfigureAwait(false);
            var frames = new FrameConnection(transport, stream, Telemetry.ClientSide, _options.Limits, agreement, _options.TimeProvider);
            return new ClientConnection(Address, frames, _options.Limits, _options.TimeProvider, expires);
        }
        catch (Exception error)
        {
            await Closing.CloseAsync(transport, stream).ConfigureAwait(false);
            throw error switch
            {
                _ when _disposing.IsCancellationRequested => DisposedError(),
                RpcException rpc when transport is null => rpc,
                RpcException rpc => new RpcException(rpc.Status, $"The connection to {Address} was refused: {Log.Clause(rpc.Message)}.", rpc),
                OperationCanceledException => new RpcException(
                    RpcStatus.Connection,
                    $"The connection to {Address} was not ready within {_options.Limits.HandshakeTime} (HandshakeTime).",
                    error),
                EndOfStreamException => new RpcException(
                    RpcStatus.Connection, $"{Address} has closed the connection during the handshake.", error),
                _ => new RpcException(RpcStatus.Connection, $"Cannot connect to {Address}: {Log.Clause(error.Message)}.", error),
            };
        }
    }

    async Task RunAsync(ClientConnection connection)
    {
        var start = _options.TimeProvider.GetTimestamp();
        RpcException reason;
        using (connection)
            reason = await connection.RunAsync().ConfigureAwait(false);
        var time = _options.TimeProvider.GetElapsedTime(start);
        var isLoss = !connection.IsShuttingDown && reason.Status != RpcStatus.Canceled;
        var isUnstable = isLoss && time < StableTime;
        lock (_gate)
        {
            _running.Remove(connection);
            if (_connection == connection)
            {
                // After a loss, the first attempt is made without a pause, unless the connection did not last long enough. A graceful close
                // is not a loss.
                var hasLasted = !isLoss || time >= _options.MaxBackoff;
                _isUnstable = isUnstable;
                _failures = hasLasted ? 0 : _failures + 1;
                _lastFailure = reason;
                PauseBeforeNextAttempt(_failures - 1);
                _connection = null;
            }
        }

        if (!isLoss)
            Log.ConnectionClosed(_options.Logger, Address, Log.Clause(reason.Message));
        else if (!isUnstable || _failing.Occurs("loss", reason.Message))
            Log.ConnectionLost(_options.Logger, Address, Log.Clause(reason.Message));
    }

    // Under the lock. The pause doubles with each failure, up to the maximum. It is then shortened by a random part of up to a half.
    void PauseBeforeNextAttempt(int failures)
    {
        var pause = failures <= 0
            ? TimeSpan.Zero
            : TimeSpan.FromTicks((long)Math.Min(_options.InitialBackoff.Ticks * Math.Pow(2, failures - 1), _options.MaxBackoff.Ticks));
        var ticks = pause.TotalSeconds * (1 - (_random.NextDouble() / 2)) * _options.TimeProvider.TimestampFrequency;
        _nextAttempt = _options.TimeProvider.GetTimestamp() + (long)ticks;
    }

    RpcException DisposedError() => new(RpcStatus.Canceled, $"The channel to {Address} was disposed.");
}
