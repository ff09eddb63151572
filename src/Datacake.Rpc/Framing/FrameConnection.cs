using System.Runtime.CompilerServices;
using System.Text;
using Datacake.Rpc.Contracts;
using Datacake.Rpc.Logging;
using Datacake.Rpc.Transport;

namespace Datacake.Rpc.Framing;

/// <summary>
/// A connection after its handshake. It reads frames, assembles chunked messages and passes them to the sink. It writes the frames of the
/// send queue and pings a silent peer. When the connection ends for any reason (an error, invalid input, silence or <see cref="Abort"/>),
/// the sink is notified once and immediately.
/// </summary>
sealed class FrameConnection
{
    /// <summary>
    /// The size of the receive buffer. It is small enough that most of a large payload is read directly into its own buffer, and large
    /// enough for some hundred small frames.
    /// </summary>
    const int ReceiveBufferSize = 16 * 1024;

    /// <summary>The number of checks of the connection per <see cref="RpcLimits.KeepAlive"/>.</summary>
    const int TicksPerKeepAlive = 4;

    /// <summary>
    /// The number of consecutive checks without activity after which the connection is lost: 1.75 to 2 times
    /// <see cref="RpcLimits.KeepAlive"/> after the last byte, because the first of these checks may come up to a tick after that byte.
    /// </summary>
    const int TicksUntilLost = (2 * TicksPerKeepAlive) - 1;

    /// <summary>The maximum length of the sent text of an error, in characters.</summary>
    const int MaxErrorLength = 2048;

    /// <summary>The maximum length of the received text of an error, in bytes.</summary>
    public const int MaxErrorSize = 4 * MaxErrorLength;

    readonly TransportConnection _transport;
    readonly Stream _stream;
    readonly string _side;
    readonly RpcLimits _limits;
    readonly TimeProvider _timeProvider;
    readonly ByteBudget _buffered;
    readonly ByteBudget? _totalBuffered;
    readonly byte[] _buffer = new byte[ReceiveBufferSize];
    readonly Dictionary<uint, PayloadBuffer?> _unfinished = [];     // Messages with missing chunks; null if the rest is to be discarded.
    readonly Lock _gate = new();
    int _start;                 // The received bytes that are not consumed yet are _buffer[_start.._end].
    int _end;
    bool _heard;                // True if something was received since the last tick of the keep-alive.
    int _silentTicks;
    int _stuckTicks;
    long _writesAtTick = -1;
    RpcException? _reason;      // Set under the lock when the connection ends.
    IFrameSink? _sink;          // Set under the lock when the connection begins to run.
    Task _transportClosed = Task.CompletedTask;

    /// <summary>Creates a connection. It does nothing until <see cref="RunAsync"/>.</summary>
    /// <param name="transport">The transport, which is closed when the connection ends.</param>
    /// <param name="stream">The transport's stream, or the encrypting stream around it.</param>
    /// <param name="side">The side (client or server), for metrics.</param>
    /// <param name="limits">The limits of this side.</param>
    /// <param name="agreement">The result of the handshake.</param>
    /// <param name="timeProvider">The clock of the keep-alive.</param>
    /// <param name="totalBuffered">The budget that all connections of a server share.</param>
    public FrameConnection(
        TransportConnection transport,
        Stream stream,
        string side,
        RpcLimits limits,
        Agreement agreement,
        TimeProvider timeProvider,
        ByteBudget? totalBuffered = null)
    {
        _buffered = new ByteBudget(limits.BufferedBytes);
        _totalBuffered = totalBuffered;
        _side = side;
        Output = new SendQueue(side);
        _transport = transport;
        _stream = stream;
        _limits = limits;
        _timeProvider = timeProvider;
        (Agreement, Peer) = (agreement, agreement.Peer);
        Buffers = new ItemPool<PayloadBuffer>(limits.CallsInFlight, () => new PayloadBuffer(this));
    }

    public SendQueue Output { get; }

    public ItemPool<PayloadBuffer> Buffers { get; }

    /// <summary>Gets the version and capabilities that both sides have. The connection uses nothing beyond them.</summary>
    public Agreement Agreement { get; }

    public PeerLimits Peer { get; }

    /// <summary>Gets a description of the budget that was exhausted last. Used only by the reader.</summary>
    public string Shortage { get; private set; } = "";

    public string RemoteAddress => _transport.RemoteAddress;

    /// <summary>
    /// Runs the connection until it ends and the transport is closed, and returns the reason. Throws only exceptions of the time provider,
    /// which the caller must pass to <see cref="Fail"/>.
    /// </summary>
    public async Task<RpcException> RunAsync(IFrameSink sink)
    {
        RpcException? aborted;
        lock (_gate)
        {
            _sink = sink;
            aborted = _reason;
        }

        if (aborted is not null)
            sink.OnClosed(aborted);
        Telemetry.ConnectionOpened(_side);
        try
        {
            var tick = _limits.KeepAlive / TicksPerKeepAlive;
            tick = tick > TimeRange.Shortest ? tick : TimeRange.Shortest;
            await using (_timeProvider.CreateTimer(_ => Tick(), null, tick, tick).ConfigureAwait(false))
                await Task.WhenAll(WriteAsync(), ReadAsync()).ConfigureAwait(false);
        }
        finally
        {
            Telemetry.ConnectionClosed(_side);
        }

        await _transportClosed.ConfigureAwait(false);
        return _reason!;
    }

    /// <summary>Writes all queued frames, and then ends the connection.</summary>
    public void Finish() => Output.Complete();

    /// <summary>Ends the connection immediately. If it is called several times, the first reason counts.</summary>
    public void Abort(RpcException reason)
    {
        IFrameSink? sink;
        lock (_gate)
        {
            if (_reason is not null)
                return;
            _reason = reason;
            sink = _sink;
            _transportClosed = CloseTransportAsync();
        }

        Output.Close(reason);
        sink?.OnClosed(reason);
    }

    /// <summary>Ends the connection immediately, because one of its certificates expires.</summary>
    public void Expire(DateTimeOffset end) => Abort(new RpcException(
        RpcStatus.Connection, $"The connection to {RemoteAddress} has ended, because one of its certificates expired at {end:u}."));

    /// <summary>Ends a connection after an unexpected failure, and fails everything in flight. Returns the reason.</summary>
    public RpcException Fail(IFrameSink sink, Exception error)
    {
        Abort(ReasonFor(error));
        sink.OnClosed(_reason!);    // Has no effect if the sink has already been notified.
        return _reason!;
    }

    /// <summary>Reserves bytes of the budgets. Returns false if too few are left. Called only by the reader.</summary>
    public bool TryReserve(int bytes)
    {
        if (!_buffered.TryTake(bytes))
        {
            Shortage = $"the connection has reached its limit of {_limits.BufferedBytes} buffered bytes (BufferedBytes).";
            return false;
        }

        if (_totalBuffered?.TryTake(bytes) != false)
            return true;
        _buffered.Return(bytes);
        Shortage = $"the server has reached its limit of {_limits.TotalBufferedBytes} buffered bytes (TotalBufferedBytes).";
        return false;
    }

    public void Unreserve(int bytes)
    {
        _buffered.Return(bytes);
        _totalBuffered?.Return(bytes);
    }

    /// <summary>Sends a frame that must not wait. Cuts off a peer for which too many of these frames are queued.</summary>
    public void Signal(FrameType type, uint id, uint value = 0, ReadOnlySpan<byte> meta = default, ReadOnlySpan<byte> payload = default)
    {
        if (!Output.TryAppend(type, id, value, meta, payload, isUrgent: true))
            Abort(new RpcException(RpcStatus.LimitExceeded, $"{RemoteAddress} does not read what is sent to it."));
    }

    /// <summary>Tells the other side that a call or stream failed.</summary>
    public void SendError(uint id, RpcStatus status, string text) =>
        Signal(FrameType.Error, id, (uint)status, [], Encoding.UTF8.GetBytes(text.Length > MaxErrorLength ? text[..MaxErrorLength] : text));

    async Task CloseTransportAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        await Closing.CloseAsync(_transport, _stream).ConfigureAwait(false);
    }

    async Task WriteAsync()
    {
        try
        {
            await Output.WriteToAsync(_stream).ConfigureAwait(false);
            Abort(new RpcException(RpcStatus.Connection, $"The connection to {RemoteAddress} was closed."));
        }
        catch (Exception error)
        {
            Abort(ReasonFor(error));
        }
    }

    async Task ReadAsync()
    {
        try
        {
            while (true)
            {
                if (_end - _start < FrameHeader.Size)
                    await FillAsync(FrameHeader.Size).ConfigureAwait(false);
                var header = FrameHeader.Read(_buffer.AsSpan(_start));
                header.Check(_limits.HeaderSize);
                _start += FrameHeader.Size;

                if (!IsMessage(header.Type))
                    OnSignal(header);
                else if (await ReceiveAsync(header).ConfigureAwait(false) is { } message)
                    HandOver(message);
            }
        }
        catch (Exception error)
        {
            Abort(ReasonFor(error));
        }

        foreach (var message in _unfinished.Values)
            message?.Release(message.Version);
    }

    // If the sink throws, which ends the connection, an unreleased message would count against the server's budget forever.
    void HandOver(PayloadBuffer message)
    {
        var version = message.Version;
        try
        {
            _sink!.OnMessage(message);
        }
        catch
        {
            message.Release(version);
            throw;
        }
    }

    static bool IsMessage(FrameType type) =>
        type is FrameType.Request or FrameType.Reply or FrameType.Error or FrameType.Chunk or FrameType.OpenStream or FrameType.Message;

    void OnSignal(FrameHeader header)
    {
        switch (header.Type)
        {
            case FrameType.Ping:
                Signal(FrameType.Pong, 0);
                break;
            case FrameType.Pong:
                break;
            default:
                if (header.Type == FrameType.Cancel)
                    DropUnfinished(header.Id);
                _sink!.OnSignal(header);
                break;
        }
    }

    /// <summary>Receives the body of a frame. Returns the message if this completes it, and otherwise null.</summary>
    ValueTask<PayloadBuffer?> ReceiveAsync(FrameHeader header)
    {
        PayloadBuffer? message;
        if (header.Type == FrameType.Chunk)
        {
            if (!_unfinished.TryGetValue(header.Id, out message) || message is null)
                return SkipAsync(header);
        }
        else
        {
            DropUnfinished(header.Id);
            if (header.HasMore && _unfinished.Count >= _limits.CallsInFlight)
            {
                throw new RpcException(
                    RpcStatus.LimitExceeded, $"more than {_limits.CallsInFlight} large messages arrived at a time (CallsInFlight).");
            }

            message = Buffers.Rent();
            message.Start(header);
        }

        var body = header.BodyLength;
        if (message.PayloadLength + body > _limits.MessageSize)
            return RefuseAsync(header, message, $"the message is larger than {_limits.MessageSize} bytes (MessageSize).");
        var room = message.Extend(body);
        if (room.Length < body)
            return RefuseAsync(header, message, Shortage);
        if (_end - _start < body)
            return ReceiveRestAsync(header, message, room);
        Consume(room);
        return ValueTask.FromResult(Received(header, message));
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    async ValueTask<PayloadBuffer?> ReceiveRestAsync(FrameHeader header, PayloadBuffer message, Memory<byte> room)
    {
        try
        {
            if (room.Length <= ReceiveBufferSize / 2)
            {
                await FillAsync(room.Length).ConfigureAwait(false);
                Consume(room);
            }
            else
            {
                var buffered = _end - _start;
                Consume(room[..buffered]);
                await _stream.ReadExactlyAsync(room[buffered..]).ConfigureAwait(false);
                Telemetry.BytesReceived(_side, room.Length - buffered);
                _heard = true;
            }
        }
        catch
        {
            _unfinished.Remove(header.Id);
            message.Release(message.Version);
            throw;
        }

        return Received(header, message);
    }

    PayloadBuffer? Received(FrameHeader header, PayloadBuffer message)
    {
        if (header.HasMore)
        {
            _unfinished[header.Id] = message;
            return null;
        }

        if (header.Type == FrameType.Chunk)
            _unfinished.Remove(header.Id);
        return message;
    }

    async ValueTask<PayloadBuffer?> RefuseAsync(FrameHeader header, PayloadBuffer message, string reason)
    {
        message.Release(message.Version);
        if (header.HasMore)
            _unfinished[header.Id] = null;
        await SkipAsync(header).ConfigureAwait(false);
        _sink!.OnRefused(header.Id, reason);
        return null;
    }

    async ValueTask<PayloadBuffer?> SkipAsync(FrameHeader header)
    {
        var rest = header.BodyLength;
        while (true)
        {
            var skipped = Math.Min(rest, _end - _start);
            _start += skipped;
            rest -= skipped;
            if (rest == 0)
                break;
            await FillAsync(1).ConfigureAwait(false);
        }

        if (!header.HasMore)
            _unfinished.Remove(header.Id);
        return null;
    }

    void DropUnfinished(uint id)
    {
        if (_unfinished.Count > 0 && _unfinished.Remove(id, out var message))
            message?.Release(message.Version);
    }

    void Consume(Memory<byte> target)
    {
        _buffer.AsSpan(_start, target.Length).CopyTo(target.Span);
        _start += target.Length;
    }

    /// <summary>Reads until at least <paramref name="count"/> bytes are buffered.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    async ValueTask FillAsync(int count)
    {
        if (_start == _end)
            _start = _end = 0;
        else if (_start + count > _buffer.Length)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        while (_end - _start < count)
        {
            var read = await _stream.ReadAsync(_buffer.AsMemory(_end)).ConfigureAwait(false);
            if (read == 0)
                throw new EndOfStreamException();
            _end += read;
            Telemetry.BytesReceived(_side, read);
            _heard = true;
        }
    }

    void Tick()
    {
        _silentTicks = _heard ? 0 : _silentTicks + 1;
        _heard = false;
        var writes = Output.Writes;
        _stuckTicks = Output.IsWriting && writes == _writesAtTick ? _stuckTicks + 1 : 0;
        _writesAtTick = Output.IsWriting ? writes : -1;
        if (_stuckTicks >= TicksUntilLost)
            Abort(new RpcException(RpcStatus.Connection, $"{RemoteAddress} has read nothing for almost twice {_limits.KeepAlive} (KeepAlive)."));
        else if (_silentTicks >= TicksUntilLost)
            Abort(new RpcException(RpcStatus.Connection, $"{RemoteAddress} was silent for almost twice {_limits.KeepAlive} (KeepAlive)."));
        else if (_silentTicks == TicksPerKeepAlive)
            Signal(FrameType.Ping, 0);
    }

    RpcException ReasonFor(Exception error) => error switch
    {
        RpcException rpc => new RpcException(rpc.Status, $"The connection to {RemoteAddress} was cut: {rpc.Message}", rpc),
        EndOfStreamException => new RpcException(RpcStatus.Connection, $"{RemoteAddress} has closed the connection.", error),
        _ => new RpcException(RpcStatus.Connection, $"The connection to {RemoteAddress} was lost: {error.Message.TrimEnd('.')}.", error),
    };
}
