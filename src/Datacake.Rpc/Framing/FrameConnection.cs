using System.Runtime.CompilerServices;
using System.Text;

namespace Datacake.Rpc.Framing;

/// <summary>
/// A connection after its handshake: reads frames, puts chunked messages together and hands them to the sink; writes what the send
/// queue holds; pings a silent peer. Whatever ends it (an error, garbage, silence, <see cref="Abort"/>), the sink hears of it once, at
/// once.
/// </summary>
sealed class FrameConnection
{
    /// <summary>
    /// Small enough that most of a large payload is read straight into its own buffer, large enough for some hundred small frames.
    /// </summary>
    const int ReceiveBufferSize = 16 * 1024;

    /// <summary>Looks at the connection in the time of <see cref="RpcLimits.KeepAlive"/>.</summary>
    const int TicksPerKeepAlive = 4;

    /// <summary>
    /// Looks in a row that find nothing, until the connection is lost: 1.75 to 2 times <see cref="RpcLimits.KeepAlive"/> after the last
    /// byte, since the first look may come a tick after that byte.
    /// </summary>
    const int TicksUntilLost = (2 * TicksPerKeepAlive) - 1;

    /// <summary>Characters of an error's text that are sent.</summary>
    const int MaxErrorLength = 2048;

    /// <summary>The bytes of an error's text that are read.</summary>
    public const int MaxErrorSize = 4 * MaxErrorLength;

    readonly TransportConnection _transport;
    readonly Stream _stream;
    readonly string _side;
    readonly RpcLimits _limits;
    readonly TimeProvider _timeProvider;
    readonly ByteBudget _buffered;
    readonly ByteBudget? _totalBuffered;
    readonly byte[] _buffer = new byte[ReceiveBufferSize];
    readonly Dictionary<uint, PayloadBuffer?> _unfinished = [];     // messages of which chunks are missing; null: the rest is thrown away
    readonly Lock _gate = new();
    int _start;                 // the received bytes that are not consumed yet are _buffer[_start.._end]
    int _end;
    bool _heard;                // something was received since the last tick of the keep-alive
    int _silentTicks;
    int _stuckTicks;
    long _writesAtTick = -1;
    RpcException? _reason;      // set under the lock, when it is over
    IFrameSink? _sink;          // set under the lock, when it begins
    Task _transportClosed = Task.CompletedTask;

    /// <summary>A connection that runs from <see cref="RunAsync"/> on.</summary>
    /// <param name="transport">What is closed in the end.</param>
    /// <param name="stream">The transport's stream, or TLS around it.</param>
    /// <param name="side">Which side this is, for what is measured.</param>
    /// <param name="limits">What this side takes.</param>
    /// <param name="agreement">What both sides have agreed on.</param>
    /// <param name="timeProvider">The clock of the keep-alive.</param>
    /// <param name="totalBuffered">What all connections of a server may buffer together.</param>
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

    /// <summary>Gets the version and capabilities that both sides have. Nothing else is used on the connection.</summary>
    public Agreement Agreement { get; }

    public PeerLimits Peer { get; }

    /// <summary>Which budget had nothing left the last time, in words. Read by the reader only.</summary>
    public string Shortage { get; private set; } = "";

    public string RemoteAddress => _transport.RemoteAddress;

    /// <summary>
    /// Runs the connection until it ends, and returns why it did, after the transport is closed. Throws only what a time provider does,
    /// which is for <see cref="Fail"/> then.
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

    /// <summary>Writes what is queued, then ends the connection.</summary>
    public void Finish() => Output.Complete();

    /// <summary>Ends the connection now. The first reason given counts.</summary>
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

    /// <summary>Ends the connection now, since a certificate expires.</summary>
    public void Expire(DateTimeOffset end) => Abort(new RpcException(
        RpcStatus.Connection, $"The connection to {RemoteAddress} has ended with a certificate that it was opened with, at {end:u}"));

    /// <summary>Ends a connection that failed where it should not: whatever waits for it fails, too. Returns the reason.</summary>
    public RpcException Fail(IFrameSink sink, Exception error)
    {
        Abort(Lost(error));
        sink.OnClosed(_reason!);    // has no effect on a sink that was told
        return _reason!;
    }

    /// <summary>Asks for the right to hold so many bytes more. Called by the reader only.</summary>
    public bool TryReserve(int bytes)
    {
        if (!_buffered.TryTake(bytes))
        {
            Shortage = $"the connection holds {_limits.BufferedBytes} bytes of unfinished calls (BufferedBytes)";
            return false;
        }

        if (_totalBuffered?.TryTake(bytes) != false)
            return true;
        _buffered.Return(bytes);
        Shortage = $"the server holds {_limits.TotalBufferedBytes} bytes of unfinished calls (TotalBufferedBytes)";
        return false;
    }

    public void Unreserve(int bytes)
    {
        _buffered.Return(bytes);
        _totalBuffered?.Return(bytes);
    }

    /// <summary>Sends a frame that may not wait. A peer that lets too many of these pile up is cut off.</summary>
    public void Signal(FrameType type, uint id, uint value = 0, ReadOnlySpan<byte> meta = default, ReadOnlySpan<byte> payload = default)
    {
        if (!Output.TryAppend(type, id, value, meta, payload, isUrgent: true))
            Abort(new RpcException(RpcStatus.LimitExceeded, $"{RemoteAddress} does not read what is sent to it"));
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
            Abort(new RpcException(RpcStatus.Connection, $"The connection to {RemoteAddress} was closed"));
        }
        catch (Exception error)
        {
            Abort(Lost(error));
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
            Abort(Lost(error));
        }

        foreach (var message in _unfinished.Values)
            message?.Release(message.Version);
    }

    // What the sink does not take, since it ends the connection, would count against the server's budget for ever.
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

    /// <summary>Receives the body of a frame. Returns the message, if it is complete with that.</summary>
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
                    RpcStatus.LimitExceeded, $"more than {_limits.CallsInFlight} large messages at a time (CallsInFlight)");
            }

            message = Buffers.Rent();
            message.Start(header);
        }

        var body = header.BodyLength;
        if (message.PayloadLength + body > _limits.MessageSize)
            return RefuseAsync(header, message, $"the message is larger than {_limits.MessageSize} bytes (MessageSize)");
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
            Abort(new RpcException(RpcStatus.Connection, $"{RemoteAddress} has read nothing for almost twice {_limits.KeepAlive} (KeepAlive)"));
        else if (_silentTicks >= TicksUntilLost)
            Abort(new RpcException(RpcStatus.Connection, $"{RemoteAddress} was silent for almost twice {_limits.KeepAlive} (KeepAlive)"));
        else if (_silentTicks == TicksPerKeepAlive)
            Signal(FrameType.Ping, 0);
    }

    RpcException Lost(Exception error) => error switch
    {
        RpcException rpc => new RpcException(rpc.Status, $"The connection to {RemoteAddress} was cut: {rpc.Message}", rpc),
        EndOfStreamException => new RpcException(RpcStatus.Connection, $"{RemoteAddress} has closed the connection", error),
        _ => new RpcException(RpcStatus.Connection, $"The connection to {RemoteAddress} was lost: {error.Message}", error),
    };
}
