using System.Buffers;
using System.Threading.Tasks.Sources;
using Datacake.Rpc.Logging;

namespace Datacake.Rpc.Framing;

/// <summary>
/// The queue of frames to be written to a connection. Frames from any thread are appended to one buffer. The writer takes the whole buffer
/// for one socket write while the next buffer fills. When the buffer is full, senders wait. Senders of chunks wait earlier, so that there
/// is room for small frames between chunks.
/// </summary>
sealed class SendQueue(string side) : IValueTaskSource, IThreadPoolWorkItem
{
    /// <summary>The number of queued bytes beyond which senders wait.</summary>
    const int Capacity = 256 * 1024;

    /// <summary>The number of queued bytes beyond which senders of chunks wait.</summary>
    const int ChunkCapacity = 64 * 1024;

    /// <summary>
    /// The number of queued bytes at which even credits, pongs, cancellations and errors are refused. These do not wait, so a peer for
    /// which so much is queued is not reading.
    /// </summary>
    const int UrgentCapacity = 4 * Capacity;

    /// <summary>The maximum size of the buffers that an idle connection keeps.</summary>
    const int IdleBufferSize = 4 * 1024;

    readonly Lock _gate = new();
    readonly LinkedList<Sender> _senders = new();
    readonly LinkedList<Sender> _chunkSenders = new();
    byte[] _pending = [];
    byte[] _writing = [];
    int _pendingCount;
    bool _writerAwake = true;
    bool _completed;                                    // The writer ends when everything is written.
    RpcException? _closed;                              // If set, nothing more is written.
    ManualResetValueTaskSourceCore<bool> _wake;         // Completed by Execute on a pool thread, after the work that is queued there.

    /// <summary>Gets whether a socket write is in progress. Read by the keep-alive.</summary>
    public bool IsWriting { get; private set; }

    /// <summary>Gets the number of socket writes. Read by the keep-alive.</summary>
    public long Writes { get; private set; }

    /// <summary>
    /// Appends a frame if there is room. An urgent frame does not wait behind others, and is refused only if so much is queued that the
    /// peer cannot be reading. A closed queue ignores the frame and returns true, because the connection itself informs everything in
    /// flight.
    /// </summary>
    public bool TryAppend(
        FrameType type, uint id, uint value, ReadOnlySpan<byte> meta, ReadOnlySpan<byte> payload, bool isUrgent = false)
    {
        bool wake;
        lock (_gate)
        {
            if (_closed is not null)
                return true;
            if (isUrgent ? _pendingCount >= UrgentCapacity : _pendingCount >= Capacity || _senders.Count > 0)
                return false;
            wake = Append(new FrameHeader(type, FrameFlags.None, id, value, meta.Length, meta.Length + payload.Length), meta, payload);
        }

        if (wake)
            WakeWriter();
        return true;
    }

    /// <summary>Appends a whole message, in chunks if it is large, and waits for room if necessary.</summary>
    /// <exception cref="OperationCanceledException">
    /// The token was canceled. If chunks had already been sent, the receiver still waits for the rest. Notify it with
    /// <see cref="FrameType.Cancel"/> or <see cref="FrameType.Error"/>.
    /// </exception>
    /// <exception cref="RpcException">The connection is closed.</exception>
    public async ValueTask SendAsync(
        FrameType type, uint id, uint value, ReadOnlyMemory<byte> meta, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        while (payload.Length > FrameHeader.MaxPayload)
        {
            var chunk = payload[..FrameHeader.MaxPayload];
            var header = new FrameHeader(type, FrameFlags.More, id, value, meta.Length, meta.Length + chunk.Length);
            await AppendAsync(new Sender(header, meta, chunk), isChunk: true, cancellationToken).ConfigureAwait(false);
            payload = payload[FrameHeader.MaxPayload..];
            (type, value, meta) = (FrameType.Chunk, 0, default);
        }

        var last = new FrameHeader(type, FrameFlags.None, id, value, meta.Length, meta.Length + payload.Length);
        await AppendAsync(new Sender(last, meta, payload), type == FrameType.Chunk, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Writes appended frames until the queue is closed, or completed and empty.</summary>
    public async Task WriteToAsync(Stream stream)
    {
        while (true)
        {
            int count;
            lock (_gate)
            {
                if (_closed is not null)
                    return;
                if (_pendingCount == 0)
                {
                    if (_completed)
                        return;
                    Shrink();
                    _wake.Reset();
                    _writerAwake = false;
                    count = 0;
                }
                else
                {
                    count = _pendingCount;
                    (_pending, _writing) = (_writing, _pending);
                    _pendingCount = 0;
                    AdmitSenders();
                }
            }

            if (count == 0)
            {
                await new ValueTask(this, _wake.Version).ConfigureAwait(false);
                continue;
            }

            IsWriting = true;
            await stream.WriteAsync(_writing.AsMemory(0, count)).ConfigureAwait(false);
            IsWriting = false;
            Writes++;
            Telemetry.BytesSent(side, count);
        }
    }

    /// <summary>Lets the writer end when everything appended so far has been written.</summary>
    public void Complete()
    {
        bool wake;
        lock (_gate)
        {
            _completed = true;
            wake = !_writerAwake;
            _writerAwake = true;
        }

        if (wake)
            WakeWriter();
    }

    /// <summary>Stops writing, and fails all senders that wait for room.</summary>
    public void Close(RpcException reason)
    {
        bool wake;
        List<Sender> failed;
        lock (_gate)
        {
            if (_closed is not null)
                return;
            _closed = reason;
            failed = [.. _senders, .. _chunkSenders];
            _senders.Clear();
            _chunkSenders.Clear();
            wake = !_writerAwake;
            _writerAwake = true;
        }

        foreach (var sender in failed)
            sender.TrySetException(new RpcException(reason.Status, reason.Message, reason));
        if (wake)
            WakeWriter();
    }

    void IThreadPoolWorkItem.Execute() => _wake.SetResult(true);

    void IValueTaskSource.GetResult(short token) => _wake.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wake.GetStatus(token);

    void IValueTaskSource.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wake.OnCompleted(continuation, state, token, flags);

    // Uses the global queue of the pool, so that work queued earlier runs first and its frames share the next socket write.
    void WakeWriter() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    ValueTask AppendAsync(Sender sender, bool isChunk, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        bool wake;
        lock (_gate)
        {
            if (_closed is { } reason)
                throw new RpcException(reason.Status, reason.Message, reason);
            var hasRoom = _senders.Count == 0
                && (isChunk ? _pendingCount < ChunkCapacity && _chunkSenders.Count == 0 : _pendingCount < Capacity);
            if (!hasRoom)
            {
                (isChunk ? _chunkSenders : _senders).AddLast(sender.Node);
                return WaitAsync(sender, cancellationToken);
            }

            wake = Append(sender.Header, sender.Meta.Span, sender.Payload.Span);
        }

        if (wake)
            WakeWriter();
        return ValueTask.CompletedTask;
    }

    async ValueTask WaitAsync(Sender sender, CancellationToken cancellationToken)
    {
        using (cancellationToken.UnsafeRegister((_, token) => Withdraw(sender, token), null))
            await sender.Task.ConfigureAwait(false);
    }

    void Withdraw(Sender sender, CancellationToken cancellationToken)
    {
        lock (_gate)
            sender.Node.List?.Remove(sender.Node);
        sender.TrySetCanceled(cancellationToken);
    }

    // Under the lock. Copies the frame, and returns whether the writer must be woken.
    bool Append(FrameHeader header, ReadOnlySpan<byte> meta, ReadOnlySpan<byte> payload)
    {
        var size = FrameHeader.Size + header.BodyLength;
        if (_pending.Length - _pendingCount < size)
            Grow(size);
        var target = _pending.AsSpan(_pendingCount);
        header.Write(target);
        meta.CopyTo(target[FrameHeader.Size..]);
        payload.CopyTo(target[(FrameHeader.Size + meta.Length)..]);
        _pendingCount += size;
        if (_writerAwake)
            return false;
        _writerAwake = true;
        return true;
    }

    void AdmitSenders()
    {
        while (_senders.First is { } first && _pendingCount < Capacity)
            Admit(_senders, first);
        while (_chunkSenders.First is { } first && _pendingCount < ChunkCapacity)
            Admit(_chunkSenders, first);
    }

    void Admit(LinkedList<Sender> senders, LinkedListNode<Sender> node)
    {
        senders.Remove(node);
        Append(node.Value.Header, node.Value.Meta.Span, node.Value.Payload.Span);
        node.Value.TrySetResult();
    }

    void Grow(int size)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_pendingCount + size, Math.Max(IdleBufferSize, 2 * _pending.Length)));
        _pending.AsSpan(0, _pendingCount).CopyTo(larger);
        if (_pending.Length > 0)
            ArrayPool<byte>.Shared.Return(_pending);
        _pending = larger;
    }

    void Shrink()
    {
        Shrink(ref _pending);
        Shrink(ref _writing);
    }

    static void Shrink(ref byte[] buffer)
    {
        if (buffer.Length <= IdleBufferSize)
            return;
        ArrayPool<byte>.Shared.Return(buffer);
        buffer = [];
    }

    /// <summary>A frame that waits for room. Its memory is read only under the lock, and not after it was withdrawn.</summary>
    sealed class Sender : TaskCompletionSource
    {
        public Sender(FrameHeader header, ReadOnlyMemory<byte> meta, ReadOnlyMemory<byte> payload)
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
            Header = header;
            Meta = meta;
            Payload = payload;
            Node = new LinkedListNode<Sender>(this);
        }

        public FrameHeader Header { get; }

        public ReadOnlyMemory<byte> Meta { get; }

        public ReadOnlyMemory<byte> Payload { get; }

        public LinkedListNode<Sender> Node { get; }
    }
}
