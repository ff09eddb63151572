using System.Buffers;

namespace Datacake.AspNetCore.SignalR;

/// <summary>
/// The messages that wait for a peer, in blocks that are sent as a whole. A sender waits while the limit is reached, at most for the timeout, and in the order of the messages. After a timeout, the
/// queue is stalled: further messages are refused at once until there is room again. Thread-safe for any number of senders and one reader.
/// </summary>
sealed class PeerQueue(int maxBytes, TimeSpan timeout, TimeProvider time)
{
    /// <summary>The size of a block, so that it fits into one frame of a connection. A longer message has a block of its own.</summary>
    public const int BlockSize = 60 * 1024;

    readonly Lock _lock = new();
    readonly Queue<Block> _blocks = new();                  // this and all fields below: under the lock
    readonly LinkedList<Waiter> _waiters = new();
    Block? _last;
    long _bytes;
    bool _isStalled;
    bool _isClosed;
    TaskCompletionSource? _arrival;

    sealed class Waiter(byte[] message)
    {
        public byte[] Message => message;

        public TaskCompletionSource<bool> Admission { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>Gets the number of bytes that wait.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
                return _bytes;
        }
    }

    /// <summary>Adds a message, whose bytes are copied before the method returns. Returns false if there was no room in time, or the queue is closed.</summary>
    public ValueTask<bool> AddAsync(ReadOnlySpan<byte> message, CancellationToken cancellationToken)
    {
        LinkedListNode<Waiter> waiter;
        TaskCompletionSource? arrival;
        lock (_lock)
        {
            if (_isClosed || (_isStalled && !HasRoom))
                return ValueTask.FromResult(false);
            if (_waiters.Count > 0 || !HasRoom)
            {
                waiter = _waiters.AddLast(new Waiter(message.ToArray()));
                arrival = null;
            }
            else
            {
                Append(message);
                (arrival, _arrival) = (_arrival, null);
                waiter = null!;
            }
        }
        arrival?.TrySetResult();
        return waiter is null ? ValueTask.FromResult(true) : new ValueTask<bool>(WaitAsync(waiter, cancellationToken));
    }

    /// <summary>Waits for the next block, which belongs to the caller.</summary>
    public async ValueTask<Block> TakeAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task arrival;
            lock (_lock)
            {
                if (_blocks.TryDequeue(out var block))
                {
                    if (block == _last)
                        _last = null;
                    _bytes -= block.Length;
                    AdmitWaiters();
                    return block;
                }
                _arrival ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                arrival = _arrival.Task;
            }
            await arrival.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Discards all messages, and returns their number.</summary>
    public int Clear()
    {
        lock (_lock)
        {
            int messages = _waiters.Count;
            foreach (var waiter in _waiters)
                waiter.Admission.TrySetResult(true);        // counted here, and not by its sender
            _waiters.Clear();
            while (_blocks.TryDequeue(out var block))
            {
                messages += block.Messages;
                block.Release();
            }
            _last = null;
            _bytes = 0;
            _isStalled = false;
            return messages;
        }
    }

    /// <summary>Discards all messages and refuses further ones. Returns the number of those that were discarded.</summary>
    public int Close()
    {
        lock (_lock)
            _isClosed = true;
        return Clear();
    }

    // Under the lock. A message may exceed the limit, so that one that is longer than it can be sent.
    bool HasRoom => _bytes < maxBytes;

    void Append(ReadOnlySpan<byte> message)
    {
        if (_last is null || !_last.TryAppend(message))
        {
            _last = new Block(Math.Max(BlockSize, message.Length));
            _last.TryAppend(message);
            _blocks.Enqueue(_last);
        }
        _bytes += message.Length;
    }

    void AdmitWaiters()
    {
        while (HasRoom && _waiters.First is { } first)
        {
            _waiters.RemoveFirst();
            Append(first.Value.Message);
            first.Value.Admission.TrySetResult(true);
        }
        if (HasRoom)
            _isStalled = false;
    }

    async Task<bool> WaitAsync(LinkedListNode<Waiter> waiter, CancellationToken cancellationToken)
    {
        try
        {
            return await waiter.Value.Admission.Task.WaitAsync(timeout, time, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            lock (_lock)
            {
                if (waiter.List is null)
                    return true;                            // it was admitted at the last moment
                _waiters.Remove(waiter);
                _isStalled |= e is TimeoutException;
            }
            if (e is OperationCanceledException)
                throw;
            return false;
        }
    }

    /// <summary>Messages that are sent together, in a pooled buffer.</summary>
    public sealed class Block(int size)
    {
        readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(size);

        public int Length { get; private set; }

        public int Messages { get; private set; }

        public ReadOnlyMemory<byte> Bytes => _buffer.AsMemory(0, Length);

        public bool TryAppend(ReadOnlySpan<byte> message)
        {
            if (message.Length > size - Length)
                return false;
            message.CopyTo(_buffer.AsSpan(Length));
            Length += message.Length;
            Messages++;
            return true;
        }

        /// <summary>Returns the buffer to the pool. The bytes must not be used any longer.</summary>
        public void Release() => ArrayPool<byte>.Shared.Return(_buffer);
    }
}
