using System.Text;
using Datacake.Rpc.Framing;
using Datacake.Rpc.Logging;

namespace Datacake.Rpc.Client;

/// <summary>The calling side of a connection. It keeps track of calls and streams in flight, and matches replies to them.</summary>
sealed class ClientConnection : IFrameSink, IDisposable
{
    /// <summary>The maximum number of callers that may wait for a free slot, per call that may be in flight.</summary>
    const int MaxWaitersPerCall = 16;

    readonly string _address;
    readonly int _windowSize;
    readonly int _callsInFlight;
    readonly DeadlineTimer _deadlines;
    readonly TimeSpan _idleTime;
    readonly DateTimeOffset? _expires;
    readonly TimeProvider _timeProvider;
    readonly ItemPool<PendingCall> _pool;
    readonly Lock _gate = new();

    // All fields below are under the lock.
    readonly Dictionary<uint, ClientExchange> _exchanges = [];
    readonly LinkedList<TaskCompletionSource> _slotWaiters = [];
    uint _lastId;
    RpcException? _closed;
    bool _isShuttingDown;
    bool _wasUsed;              // Since the last check of the idle timer.

    public ClientConnection(string address, FrameConnection frames, RpcLimits limits, TimeProvider timeProvider, DateTimeOffset? expires)
    {
        _address = address;
        _idleTime = limits.IdleTime;
        _expires = expires;
        _timeProvider = timeProvider;
        _windowSize = limits.StreamWindow;
        _callsInFlight = Math.Min(limits.CallsInFlight, frames.Peer.CallsInFlight);
        Frames = frames;
        _deadlines = new DeadlineTimer(timeProvider, Expire);
        ItemPool<PendingCall>? pool = null;
        pool = new ItemPool<PendingCall>(_callsInFlight, () => new PendingCall(this, pool!));
        _pool = pool;
    }

    public FrameConnection Frames { get; }

    /// <summary>Gets whether new calls may use the connection. The value may change at any time.</summary>
    public bool IsOpen => Volatile.Read(ref _closed) is null && !IsShuttingDown;

    /// <summary>Gets whether the connection is closing, or was closed, gracefully, so that nothing in flight is lost.</summary>
    public bool IsShuttingDown => Volatile.Read(ref _isShuttingDown);

    /// <summary>Runs until the connection has ended, and returns the reason. Never throws.</summary>
    public async Task<RpcException> RunAsync()
    {
        try
        {
            using (new IdleTimer(_timeProvider, _idleTime, CheckUse, OnShutdown))
            using (new ExpiryTimer(_timeProvider, _expires, OnShutdown, Frames.Expire))
                return await Frames.RunAsync(this).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            return Frames.Fail(this, error);
        }
    }

    public void Dispose() => _deadlines.Dispose();

    /// <summary>Sends a call if there is a free slot, and room in the send queue, without waiting. Otherwise returns null.</summary>
    public PendingCall? TryCall(
        string service,
        string message,
        RpcHeaders? headers,
        ReadOnlySpan<byte> payload,
        TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        var encoded = headers is null ? [] : headers.Encoded.AsSpan();
        Span<byte> meta = encoded.IsEmpty ? stackalloc byte[Route.MaxLength] : new byte[Route.MaxLength + encoded.Length];
        var routeLength = Route.Write(meta, service, message);
        encoded.CopyTo(meta[routeLength..]);
        meta = meta[..(routeLength + encoded.Length)];
        if (payload.Length > Frames.Peer.MessageSize || meta.Length > Frames.Peer.HeaderSize)
            return null;
        var call = _pool.Rent();
        call.Start(service, message, timeout, sending: null);
        if (!TryRegister(call, timeout))
        {
            call.Discard();
            return null;
        }

        call.CancelBy(cancellationToken);
        if (Frames.Output.TryAppend(FrameType.Request, call.Id, ToTimeLimit(timeout), meta, payload) || !TryRemove(call))
            return call;
        call.Discard();
        return null;
    }

    /// <summary>
    /// Sends a call and waits for room if necessary. Returns null without sending anything if there is no free slot or the connection is
    /// closed.
    /// </summary>
    /// <exception cref="RpcException">The call failed.</exception>
    public async ValueTask<RpcPayload?> CallAsync(
        string service,
        string message,
        RpcHeaders? headers,
        ReadOnlyMemory<byte> payload,
        TimeSpan timeout,
        CancellationToken cancellationToken)
    {
        if (payload.Length > Frames.Peer.MessageSize)
        {
            throw new RpcException(
                RpcStatus.LimitExceeded,
                $"The payload has {payload.Length} bytes, but {_address} accepts at most {Frames.Peer.MessageSize} (MessageSize).");
        }

        var meta = EncodeMeta(service, message, headers);
        using var sending = new CancellationTokenSource();
        var call = _pool.Rent();
        call.Start(service, message, timeout, sending);
        if (!TryRegister(call, timeout))
        {
            call.Discard();
            return null;
        }

        call.CancelBy(cancellationToken);
        try
        {
            await Frames.Output.SendAsync(FrameType.Request, call.Id, ToTimeLimit(timeout), meta, payload, sending.Token)
                .ConfigureAwait(false);
        }
        catch (Exception error) when (error is OperationCanceledException or RpcException)
        {
            // The call has ended, and its task has the reason. The server may have received a part of the call.
            Frames.Signal(FrameType.Cancel, call.Id);
        }

        return await call.Task.ConfigureAwait(false);
    }

    /// <summary>Opens a stream. Returns null if there is no free slot or the connection is closed.</summary>
    public async ValueTask<RpcStream?> OpenStreamAsync(
        string service, string message, RpcHeaders? headers, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var meta = EncodeMeta(service, message, headers);
        var exchange = new ClientStream(this, service, message, headers ?? RpcHeaders.Empty, timeout);
        if (!TryRegister(exchange, timeout))
            return null;
        Frames.Signal(FrameType.OpenStream, exchange.Id, 0, meta);
        await using (cancellationToken.UnsafeRegister((_, token) => exchange.Cancel(token), null).ConfigureAwait(false))
            return await exchange.Opened.ConfigureAwait(false);
    }

    /// <summary>Waits until there is a free slot or the connection closes.</summary>
    /// <exception cref="RpcException">Too many callers are already waiting (<see cref="RpcStatus.LimitExceeded"/>).</exception>
    public async ValueTask WaitForSlotAsync(CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_closed is not null || _isShuttingDown || _exchanges.Count < _callsInFlight)
                return;
            if (_slotWaiters.Count >= MaxWaitersPerCall * _callsInFlight)
            {
                throw new RpcException(
                    RpcStatus.LimitExceeded,
                    $"{_callsInFlight} calls to {_address} are in flight (CallsInFlight), and {_slotWaiters.Count} more are waiting. Wait for "
                    + "calls to complete before starting more.");
            }

            _slotWaiters.AddLast(waiter);
        }

        await using (cancellationToken.UnsafeRegister((_, token) => Withdraw(waiter, token), null).ConfigureAwait(false))
            await waiter.Task.ConfigureAwait(false);
    }

    /// <summary>Removes an exchange from the table. If this returns true, the caller must complete the exchange.</summary>
    public bool TryRemove(ClientExchange exchange) => Remove(exchange.Id) is not null;

    /// <summary>Removes an exchange that has ended from the table.</summary>
    void Forget(uint id) => Remove(id);

    public void OnMessage(PayloadBuffer message)
    {
        var header = message.Header;
        switch (header.Type)
        {
            case FrameType.Reply:
                if (Remove(header.Id) is { } replied)
                    replied.OnReply(message);
                else
                    message.Release(message.Version);
                break;
            case FrameType.Error:
                Remove(header.Id)?.Fail(ReadError(message));
                message.Release(message.Version);
                break;
            case FrameType.Message:
                if (FindStream(header.Id) is { Stream: { } stream })
                    stream.OnMessage(message);
                else
                    message.Release(message.Version);
                break;
            default:
                throw new RpcException(RpcStatus.InvalidPayload, $"a server must not send frames of type {header.Type}.");
        }
    }

    public void OnSignal(FrameHeader frame)
    {
        switch (frame.Type)
        {
            case FrameType.Accept:
                OnAccept(frame.Id);
                break;
            case FrameType.Credit:
                FindStream(frame.Id)?.Stream!.OnCredit(frame.Value);
                break;
            case FrameType.Complete:
                FindStream(frame.Id)?.Stream!.OnCompleted(isOver: false);
                break;
            case FrameType.Shutdown:
                OnShutdown();
                break;
            default:
                throw new RpcException(RpcStatus.InvalidPayload, $"a server must not send frames of type {frame.Type}.");
        }
    }

    public void OnRefused(uint id, string reason)
    {
        if (Remove(id) is not { } exchange)
            return;
        exchange.Fail(new RpcException(RpcStatus.LimitExceeded, $"The answer of {_address} was refused: {reason}"));
        Frames.Signal(FrameType.Cancel, id);
    }

    public void OnClosed(RpcException reason)
    {
        List<ClientExchange> failed;
        List<TaskCompletionSource> waiters;
        lock (_gate)
        {
            _closed = reason;
            failed = [.. _exchanges.Values];
            waiters = [.. _slotWaiters];
            _exchanges.Clear();
            _slotWaiters.Clear();
        }

        // Each gets a new exception, because an exception thrown by several threads would mix up their stack traces.
        foreach (var exchange in failed)
            exchange.Fail(new RpcException(reason.Status, reason.Message, reason));
        foreach (var waiter in waiters)
            waiter.TrySetResult();
    }

    // In milliseconds, 0 for none. A limit beyond 49.7 days is enforced only by this side, which then cancels the call at the server.
    static uint ToTimeLimit(TimeSpan timeout) => timeout == Timeout.InfiniteTimeSpan || timeout.TotalMilliseconds > uint.MaxValue
        ? 0
        : (uint)Math.Max(1, Math.Ceiling(timeout.TotalMilliseconds));

    byte[] EncodeMeta(string service, string message, RpcHeaders? headers)
    {
        var route = Route.Encode(service, message);
        byte[] meta = headers is null ? route : [.. route, .. headers.Encoded];
        return meta.Length <= Frames.Peer.HeaderSize ? meta : throw new RpcException(
            RpcStatus.LimitExceeded,
            $"Route and headers of {service}/{message} have {meta.Length} bytes, but "
            + $"{_address} accepts at most {Frames.Peer.HeaderSize} (HeaderSize).");
    }

    RpcException ReadError(PayloadBuffer message)
    {
        var status = (RpcStatus)message.Header.Value;
        var bytes = message.GetPayload(message.Version).Span;
        var text = RemoteText.OneLine(Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, FrameConnection.MaxErrorSize)]));
        return new RpcException(
            Enum.IsDefined(status) ? status : RpcStatus.Internal,
            text.Length > 0 ? $"{_address} answered: {text}" : $"{_address} answered {status}.");
    }

    bool TryRegister(ClientExchange exchange, TimeSpan timeout)
    {
        lock (_gate)
        {
            if (_closed is not null || _isShuttingDown || _exchanges.Count >= _callsInFlight)
                return false;
            do
                exchange.Id = ++_lastId;
            while (!_exchanges.TryAdd(exchange.Id, exchange));
            if (exchange is ClientStream stream)
                stream.Stream = new RpcStream(Frames, exchange.Id, _windowSize, stream.Headers, Forget);
            _wasUsed = true;
            exchange.Due = _deadlines.After(timeout);
            _deadlines.Arm(exchange.Due);
            return true;
        }
    }

    void Withdraw(TaskCompletionSource waiter, CancellationToken cancellationToken)
    {
        lock (_gate)
            _slotWaiters.Remove(waiter);
        waiter.TrySetCanceled(cancellationToken);
    }

    ClientExchange? Remove(uint id)
    {
        ClientExchange? exchange;
        lock (_gate)
        {
            if (!_exchanges.Remove(id, out exchange))
                return null;
            OnRemoved();
        }

        return exchange;
    }

    ClientStream? FindStream(uint id)
    {
        lock (_gate)
            return _exchanges.GetValueOrDefault(id) as ClientStream;
    }

    void OnAccept(uint id)
    {
        ClientStream? accepted;
        lock (_gate)
        {
            accepted = _exchanges.GetValueOrDefault(id) as ClientStream;
            accepted?.Due = DeadlineTimer.Never;
        }

        accepted?.OnAccept();
    }

    // Returns whether the connection is in use or was used since the last call, and resets the flag.
    bool CheckUse()
    {
        lock (_gate)
        {
            var isUsed = _wasUsed || _exchanges.Count > 0;
            _wasUsed = false;
            return isUsed;
        }
    }

    // Called if the server requests a shutdown, a certificate is about to expire, or the connection is idle. A call that starts meanwhile
    // is still sent and answered.
    void OnShutdown()
    {
        List<TaskCompletionSource> waiters;
        bool isIdle;
        lock (_gate)
        {
            _isShuttingDown = true;
            isIdle = _exchanges.Count == 0;
            waiters = [.. _slotWaiters];
            _slotWaiters.Clear();
        }

        foreach (var waiter in waiters)
            waiter.TrySetResult();
        if (isIdle)
            Frames.Finish();
    }

    void Expire()
    {
        var expired = new List<ClientExchange>();
        lock (_gate)
        {
            _deadlines.Disarm();
            var now = _deadlines.Now;
            foreach (var exchange in _exchanges.Values)
            {
                if (exchange.Due <= now)
                    expired.Add(exchange);
                else
                    _deadlines.Arm(exchange.Due);
            }

            // They are removed under the lock, because the same object could otherwise already represent another call.
            foreach (var exchange in expired)
            {
                _exchanges.Remove(exchange.Id);
                OnRemoved();
            }
        }

        foreach (var exchange in expired)
        {
            Frames.Signal(FrameType.Cancel, exchange.Id);
            exchange.Fail(exchange.Expired(_address));
        }
    }

    // Under the lock. The slot goes to the next waiting caller. A connection that is shutting down ends with its last exchange.
    void OnRemoved()
    {
        if (_slotWaiters.First is { } waiter)
        {
            _slotWaiters.RemoveFirst();
            waiter.Value.TrySetResult();
        }

        if (_isShuttingDown && _exchanges.Count == 0)
            Frames.Finish();
    }
}
