using System.Threading.Tasks.Sources;
using Datacake.Rpc.Client;
using Datacake.Rpc.Framing;

namespace Datacake.Rpc;

/// <summary>
/// Ordered messages in both directions between a caller and a handler. Writes may come from several threads, each message goes out whole;
/// reads are for one caller at a time. A writer that is ahead of the reader at the other end by <see cref="RpcLimits.StreamWindow"/> waits.
/// A stream has no time limit of its own: it lives until its handler returns, either side gives up, or the connection breaks.
/// </summary>
public sealed class RpcStream : IAsyncDisposable, IValueTaskSource<RpcPayload?>
{
    /// <summary>
    /// What a message costs of the window beside its bytes, so that empty ones are not for free: about what it takes in memory until it is read. Both sides count
    /// with it.
    /// </summary>
    const int MessageCost = 320;

    readonly FrameConnection _connection;
    readonly ClientConnection? _client;                 // null on the handler's side
    readonly int _window;
    readonly Lock _gate = new();
    readonly SemaphoreSlim _writeTurn = new(1);         // taken by writers that cannot append at once
    readonly CancellationTokenSource _broken = new();   // releases writers that wait for room in the send queue

    // All below is under the lock.
    readonly Queue<PayloadBuffer> _received = new();
    long _unread;                                       // cost of what is received and not yet read
    long _consumed;                                     // cost of what was read and not yet credited to the sender
    long _credit;
    int _waitingWriters;
    TaskCompletionSource? _creditArrived;
    RpcException? _failure;
    bool _isCompleted;                                  // by this side
    bool _isRemoteCompleted;
    bool _isDisposed;
    bool _isReading;
    CancellationTokenRegistration _readCancellation;
    ManualResetValueTaskSourceCore<RpcPayload?> _read = new() { RunContinuationsAsynchronously = true };

    internal RpcStream(FrameConnection connection, uint id, int window, RpcHeaders headers, ClientConnection? client)
    {
        Headers = headers;
        _connection = connection;
        _client = client;
        _window = window;
        _credit = connection.Peer.StreamWindow;
        Id = id;
    }

    /// <summary>The other end of the connection, as the transport names it.</summary>
    public string RemoteAddress => _connection.RemoteAddress;

    /// <summary>What the caller sent along when it opened the stream.</summary>
    public RpcHeaders Headers { get; }

    internal uint Id { get; }

    /// <summary>
    /// Sends a message. Waits while the other side is behind with reading; the bytes are copied or sent before this returns, and small
    /// messages that are written in quick succession share a socket write.
    /// </summary>
    /// <exception cref="RpcException">
    /// The stream or its connection is broken, or the message is larger than the other side takes.
    /// </exception>
    /// <exception cref="InvalidOperationException"><see cref="CompleteAsync"/> was called before.</exception>
    /// <exception cref="OperationCanceledException">
    /// The token fired. If a part of a large message had been sent, the stream is broken with <see cref="RpcStatus.Cancelled"/>;
    /// otherwise it goes on.
    /// </exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default)
    {
        if (message.Length > _connection.Peer.MessageSize)
        {
            return ValueTask.FromException(new RpcException(
                RpcStatus.LimitExceeded,
                $"The message has {message.Length} bytes; {RemoteAddress} takes at most {_connection.Peer.MessageSize} (MessageSize)."));
        }

        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        lock (_gate)
        {
            if (WhyNotWritable() is { } reason)
                return ValueTask.FromException(reason);
            if (_waitingWriters == 0
                && _credit > 0
                && message.Length <= FrameHeader.MaxPayload
                && _connection.Output.TryAppend(FrameType.Message, Id, 0, [], message.Span))
            {
                _credit -= Cost(message.Length);
                return ValueTask.CompletedTask;
            }

            _waitingWriters++;
        }

        return WriteInTurnAsync(message, cancellationToken);
    }

    /// <summary>
    /// Waits for the next message: null when the other side has completed, or when the handler at the other end has returned. What had
    /// arrived before an error is delivered before the error is thrown.
    /// </summary>
    /// <exception cref="RpcException">
    /// The connection broke (<see cref="RpcStatus.Connection"/>), or the other side failed or gave up.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another read is under way.</exception>
    public ValueTask<RpcPayload?> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<RpcPayload?>(cancellationToken);
        RpcPayload? payload;
        uint credit;
        lock (_gate)
        {
            if (_isReading)
                return ValueTask.FromException<RpcPayload?>(new InvalidOperationException("Another read of this stream is under way."));
            if (_isDisposed)
                return ValueTask.FromException<RpcPayload?>(new ObjectDisposedException(nameof(RpcStream)));
            if (!_received.TryDequeue(out var message))
            {
                if (_isRemoteCompleted)
                    return default;
                if (_failure is { } failure)
                    return ValueTask.FromException<RpcPayload?>(new RpcException(failure.Status, failure.Message, failure));
                _isReading = true;
                _read.Reset();
                _readCancellation = cancellationToken.UnsafeRegister(
                    static (state, token) => ((RpcStream)state!).CancelRead(token), this);
                return new ValueTask<RpcPayload?>(this, _read.Version);
            }

            _connection.Unreserve(MessageCost);
            payload = new RpcPayload(message);
            credit = TakeCredit(message);
        }

        ReturnCredit(credit);
        return ValueTask.FromResult(payload);
    }

    /// <summary>
    /// Tells the other side that nothing more comes from here, once the writes under way have gone out. Reading goes on. Further calls do
    /// nothing.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token fired while writes were under way. The stream is not completed.</exception>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken = default)
    {
        await _writeTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            lock (_gate)
            {
                if (_isCompleted || _failure is not null || _isDisposed)
                    return;
                _isCompleted = true;
            }

            _connection.Signal(FrameType.Complete, Id);
        }
        finally
        {
            _writeTurn.Release();
        }
    }

    /// <summary>
    /// Ends the stream on this side. On the caller's side: unless both sides had completed it, the handler's token fires, and its reads
    /// and writes fail. On the handler's side, the handler's return does it.
    /// </summary>
    public ValueTask DisposeAsync()
    {
        bool isOver;
        lock (_gate)
        {
            if (_isDisposed)
                return ValueTask.CompletedTask;
            _isDisposed = true;
            isOver = _failure is not null || (_isCompleted && _isRemoteCompleted);
            while (_received.TryDequeue(out var message))
            {
                _connection.Unreserve(MessageCost);
                message.Release(message.Version);
            }
        }

        Fail(new RpcException(RpcStatus.Cancelled, $"The stream to {RemoteAddress} was disposed"));
        if (_client is not null)
        {
            _client.Forget(Id);
            if (!isOver)
                _connection.Signal(FrameType.Cancel, Id);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>A message has arrived.</summary>
    internal void OnMessage(PayloadBuffer message)
    {
        bool isOverrun;
        string? shortage = null;
        uint credit = 0;
        lock (_gate)
        {
            if (_isDisposed || _isRemoteCompleted || _failure is not null)
            {
                message.Release(message.Version);
                return;
            }

            isOverrun = _unread + _consumed >= _window;
            if (!isOverrun)
            {
                _unread += Cost(message.PayloadLength);
                if (_isReading)
                {
                    _isReading = false;
                    credit = TakeCredit(message);
                }
                else if (_connection.TryReserve(MessageCost))
                {
                    _received.Enqueue(message);
                    return;
                }
                else
                {
                    shortage = _connection.Shortage;
                }
            }
        }

        if (isOverrun || shortage is not null)
        {
            message.Release(message.Version);
            Break(new RpcException(
                RpcStatus.LimitExceeded,
                shortage ?? $"{RemoteAddress} has sent more than the {_window} bytes that the reader was ready for (StreamWindow)"));
        }
        else
        {
            ReturnCredit(credit);
            _read.SetResult(new RpcPayload(message));
        }
    }

    /// <summary>The other side may send so many bytes more.</summary>
    internal void OnCredit(uint bytes)
    {
        TaskCompletionSource? arrived;
        lock (_gate)
        {
            _credit = Math.Min(_credit + bytes, _connection.Peer.StreamWindow);
            if (_credit <= 0)
                return;
            (arrived, _creditArrived) = (_creditArrived, null);
        }

        arrived?.TrySetResult();
    }

    /// <summary>
    /// The other side has completed; <paramref name="isOver"/>: its handler has returned, so that nobody reads what we write.
    /// </summary>
    internal void OnCompleted(bool isOver)
    {
        bool isRead;
        lock (_gate)
        {
            _isRemoteCompleted = true;
            isRead = _isReading;
            _isReading = false;
        }

        if (isRead)
            _read.SetResult(null);
        if (isOver)
            Fail(new RpcException(RpcStatus.Cancelled, $"The stream is over: its handler at {RemoteAddress} has returned"));
    }

    /// <summary>The stream failed: ends reads and writes that wait.</summary>
    internal void Fail(RpcException failure)
    {
        bool isRead;
        TaskCompletionSource? creditWaiter;
        lock (_gate)
        {
            if (_failure is not null)
                return;
            _failure = failure;
            isRead = _isReading;
            _isReading = false;
            (creditWaiter, _creditArrived) = (_creditArrived, null);
        }

        if (isRead)
            _read.SetException(new RpcException(failure.Status, failure.Message, failure));
        creditWaiter?.TrySetResult();
        _broken.Cancel();
    }

    RpcPayload? IValueTaskSource<RpcPayload?>.GetResult(short token)
    {
        _readCancellation.Dispose();
        return _read.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<RpcPayload?>.GetStatus(short token) => _read.GetStatus(token);

    void IValueTaskSource<RpcPayload?>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _read.OnCompleted(continuation, state, token, flags);

    void CancelRead(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (!_isReading)
                return;
            _isReading = false;
        }

        _read.SetException(new OperationCanceledException(cancellationToken));
    }

    async ValueTask WriteInTurnAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        try
        {
            await _writeTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                await TakeCreditToSendAsync(Cost(message.Length), cancellationToken).ConfigureAwait(false);
                await SendAsync(message, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                _writeTurn.Release();
            }
        }
        finally
        {
            lock (_gate)
                _waitingWriters--;
        }
    }

    async ValueTask TakeCreditToSendAsync(int cost, CancellationToken cancellationToken)
    {
        while (true)
        {
            TaskCompletionSource arrived;
            lock (_gate)
            {
                if (WhyNotWritable() is { } reason)
                    throw reason;
                if (_credit > 0)
                {
                    _credit -= cost;
                    return;
                }

                arrived = _creditArrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            }

            await arrived.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    async ValueTask SendAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken)
    {
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(_broken.Token, cancellationToken);
        try
        {
            await _connection.Output.SendAsync(FrameType.Message, Id, 0, default, message, ends.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            if (message.Length > FrameHeader.MaxPayload)
                Break(new RpcException(RpcStatus.Cancelled, $"A write of a large message to {RemoteAddress} was cancelled half-way"));
            else
                OnCredit((uint)Cost(message.Length));
            cancellationToken.ThrowIfCancellationRequested();
            lock (_gate)
                throw WhyNotWritable()!;        // the stream was broken while we waited for room
        }
    }

    /// <summary>Fails the stream on both sides.</summary>
    void Break(RpcException failure)
    {
        Fail(failure);
        if (_client is not null)
        {
            _client.Forget(Id);
            _connection.Signal(FrameType.Cancel, Id);
        }
        else
        {
            _connection.SendError(Id, failure.Status, failure.Message);
        }
    }

    // Under the lock.
    Exception? WhyNotWritable()
    {
        if (_isDisposed)
            return new ObjectDisposedException(nameof(RpcStream));
        if (_isCompleted)
            return new InvalidOperationException("The stream was completed by this side; nothing can be written after that.");
        return _failure is { } failure ? new RpcException(failure.Status, failure.Message, failure) : null;
    }

    static int Cost(int length) => length + MessageCost;

    // Under the lock. Credit goes back in halves of the window, so that most messages cause no frame in the other direction.
    uint TakeCredit(PayloadBuffer message)
    {
        var cost = Cost(message.PayloadLength);
        _unread -= cost;
        _consumed += cost;
        if (_consumed < _window / 2 || _isRemoteCompleted || _failure is not null)
            return 0;
        var credit = (uint)_consumed;
        _consumed = 0;
        return credit;
    }

    void ReturnCredit(uint credit)
    {
        if (credit > 0)
            _connection.Signal(FrameType.Credit, Id, credit);
    }
}
