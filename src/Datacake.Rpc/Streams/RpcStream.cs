using System.Threading.Tasks.Sources;
using Datacake.Rpc.Client;
using Datacake.Rpc.Framing;

namespace Datacake.Rpc;

/// <summary>
/// A stream of ordered messages in both directions between a caller and a handler. Several threads may write concurrently, and each message
/// is sent whole. Only one read may be active at a time. A writer waits when it is ahead of the reader at the other end by
/// <see cref="RpcLimits.StreamWindow"/>. A stream has no time limit of its own: it lasts until its handler returns, either side cancels it,
/// or the connection is lost.
/// </summary>
public sealed class RpcStream : IAsyncDisposable, IValueTaskSource<RpcPayload?>
{
    /// <summary>
    /// The number of bytes by which a message reduces the window in addition to its length, so that empty messages are not free. It is
    /// approximately the memory that a message takes until it is read. Both sides use the same value.
    /// </summary>
    const int MessageCost = 320;

    readonly FrameConnection _connection;
    readonly Action<uint>? _forget;                     // Frees the id of the exchange; null on the handler's side.
    readonly int _window;
    readonly Lock _gate = new();
    readonly SemaphoreSlim _writeTurn = new(1);         // Held by writers that cannot append at once.
    readonly CancellationTokenSource _broken = new();   // Releases writers that wait for room in the send queue.

    // All fields below are under the lock.
    readonly Queue<PayloadBuffer> _received = new();
    long _unread;                                       // The cost of messages that have been received but not read.
    long _consumed;                                     // The cost of messages that have been read but not credited to the sender.
    long _credit;
    int _waitingWriters;
    TaskCompletionSource? _creditArrived;
    RpcException? _failure;
    bool _isCompleted;                                  // By this side.
    bool _isRemoteCompleted;
    bool _isDisposed;
    bool _isReading;
    CancellationTokenRegistration _readCancellation;
    ManualResetValueTaskSourceCore<RpcPayload?> _read = new() { RunContinuationsAsynchronously = true };

    internal RpcStream(FrameConnection connection, uint id, int window, RpcHeaders headers, Action<uint>? forget)
    {
        Headers = headers;
        _connection = connection;
        _forget = forget;
        _window = window;
        _credit = connection.Peer.StreamWindow;
        Id = id;
    }

    /// <summary>Gets the address of the other end of the connection, in the notation of the transport.</summary>
    public string RemoteAddress => _connection.RemoteAddress;

    /// <summary>Gets the headers that the caller sent when it opened the stream.</summary>
    public RpcHeaders Headers { get; }

    internal uint Id { get; }

    /// <summary>
    /// Sends a message. Waits while the other side has not read enough of the earlier messages. The bytes have been copied or sent when the
    /// task completes. Small messages that are written in quick succession share a socket write.
    /// </summary>
    /// <exception cref="RpcException">
    /// The stream or its connection has failed, or the message is larger than the other side accepts.
    /// </exception>
    /// <exception cref="InvalidOperationException"><see cref="CompleteAsync"/> has already been called.</exception>
    /// <exception cref="OperationCanceledException">
    /// The token was canceled. If a part of a large message had already been sent, the stream fails with <see cref="RpcStatus.Canceled"/>.
    /// Otherwise it stays usable.
    /// </exception>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> message, CancellationToken cancellationToken = default)
    {
        if (message.Length > _connection.Peer.MessageSize)
        {
            return ValueTask.FromException(new RpcException(
                RpcStatus.LimitExceeded,
                $"The message has {message.Length} bytes, but {RemoteAddress} accepts at most {_connection.Peer.MessageSize} (MessageSize)."));
        }

        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled(cancellationToken);
        lock (_gate)
        {
            if (GetWriteError() is { } reason)
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
    /// Waits for the next message. Returns <see langword="null"/> when the other side has completed the stream or its handler has returned.
    /// Messages that arrived before an error are delivered before the error is thrown.
    /// </summary>
    /// <returns>The message, which the caller must dispose, or <see langword="null"/> at the end of the stream.</returns>
    /// <exception cref="RpcException">
    /// The connection was lost (<see cref="RpcStatus.Connection"/>), or the other side failed or canceled the stream.
    /// </exception>
    /// <exception cref="InvalidOperationException">Another read is in progress.</exception>
    public ValueTask<RpcPayload?> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<RpcPayload?>(cancellationToken);
        RpcPayload? payload;
        uint credit;
        lock (_gate)
        {
            if (_isReading)
                return ValueTask.FromException<RpcPayload?>(new InvalidOperationException("Another read of this stream is in progress."));
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
    /// Waits for writes in progress, and then tells the other side that this side sends no more messages. Reading is still possible.
    /// Further calls have no effect.
    /// </summary>
    /// <exception cref="OperationCanceledException">
    /// The token was canceled while writes were in progress. The stream is not completed.
    /// </exception>
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
    /// Ends the stream on this side. If the caller disposes a stream that both sides have not completed, the handler's token is canceled,
    /// and its reads and writes fail. Handlers need not dispose their streams, because the stream ends when the handler returns.
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

        Fail(new RpcException(RpcStatus.Canceled, $"The stream to {RemoteAddress} was disposed."));
        if (_forget is not null)
        {
            _forget(Id);
            if (!isOver)
                _connection.Signal(FrameType.Cancel, Id);
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Processes a received message.</summary>
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
                shortage ?? $"{RemoteAddress} has sent more than the {_window} bytes of the stream window (StreamWindow)."));
        }
        else
        {
            ReturnCredit(credit);
            _read.SetResult(new RpcPayload(message));
        }
    }

    /// <summary>Processes credit from the other side: this side may send that many more bytes.</summary>
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
    /// Processes the completion by the other side.
    /// </summary>
    /// <param name="isOver">True if the handler on the other side has returned, so that nobody reads further messages.</param>
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
            Fail(new RpcException(RpcStatus.Canceled, $"The stream has ended, because its handler at {RemoteAddress} has returned."));
    }

    /// <summary>Marks the stream as failed, and ends waiting reads and writes.</summary>
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
                if (GetWriteError() is { } reason)
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
            {
                Break(new RpcException(
                    RpcStatus.Canceled, $"A write to {RemoteAddress} was canceled after a part of a large message had been sent."));
            }
            else
            {
                OnCredit((uint)Cost(message.Length));
            }

            cancellationToken.ThrowIfCancellationRequested();
            lock (_gate)
                throw GetWriteError()!;        // The stream failed while this write waited for room.
        }
    }

    /// <summary>Fails the stream on both sides.</summary>
    void Break(RpcException failure)
    {
        Fail(failure);
        if (_forget is not null)
        {
            _forget(Id);
            _connection.Signal(FrameType.Cancel, Id);
        }
        else
        {
            _connection.SendError(Id, failure.Status, failure.Message);
        }
    }

    // Under the lock.
    Exception? GetWriteError()
    {
        if (_isDisposed)
            return new ObjectDisposedException(nameof(RpcStream));
        if (_isCompleted)
            return new InvalidOperationException("This side has completed the stream. No further messages can be written.");
        return _failure is { } failure ? new RpcException(failure.Status, failure.Message, failure) : null;
    }

    static int Cost(int length) => length + MessageCost;

    // Under the lock. Credit is returned for half a window at a time, so that most messages do not cause a frame in the other direction.
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
