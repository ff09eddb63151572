namespace Datacake.Rpc.Transport;

/// <summary>
/// One end of a pair of connected streams: bytes written to one end are read from the other. Disposing an end ends the reads and writes of
/// both.
/// </summary>
sealed class InMemoryStream : AsyncStream
{
    readonly Pipe _incoming;
    readonly Pipe _outgoing;

    InMemoryStream(Pipe incoming, Pipe outgoing)
    {
        _incoming = incoming;
        _outgoing = outgoing;
    }

    public static (InMemoryStream Near, InMemoryStream Far) CreatePair()
    {
        var (there, back) = (new Pipe(), new Pipe());
        return (new InMemoryStream(back, there), new InMemoryStream(there, back));
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        _incoming.ReadAsync(buffer, cancellationToken);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
        _outgoing.WriteAsync(buffer, cancellationToken);

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override void Dispose(bool disposing)
    {
        _outgoing.Close();
        _incoming.Close();
        base.Dispose(disposing);
    }

    /// <summary>The buffer for one direction. The writer waits while the buffer is full.</summary>
    sealed class Pipe
    {
        readonly Lock _gate = new();
        readonly byte[] _buffer = new byte[64 * 1024];
        int _start;
        int _count;
        bool _isClosed;
        TaskCompletionSource? _changed;     // Created by a waiter, and completed when the state changes.

        public async ValueTask<int> ReadAsync(Memory<byte> target, CancellationToken cancellationToken)
        {
            while (true)
            {
                Task changed;
                lock (_gate)
                {
                    if (_count > 0 || target.IsEmpty)
                        return Take(target.Span);
                    if (_isClosed)
                        return 0;
                    changed = Changed();
                }

                await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        public async ValueTask WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken)
        {
            while (true)
            {
                Task changed;
                lock (_gate)
                {
                    if (_isClosed)
                        throw new IOException("The connection was closed.");
                    source = source[Put(source.Span)..];
                    if (source.IsEmpty)
                        return;
                    changed = Changed();
                }

                await changed.WaitAsync(cancellationToken).ConfigureAwait(false);
            }
        }

        public void Close()
        {
            lock (_gate)
            {
                _isClosed = true;
                Signal();
            }
        }

        int Take(Span<byte> target)
        {
            var total = 0;
            while (_count > 0 && target.Length > 0)
            {
                var part = Math.Min(Math.Min(_count, _buffer.Length - _start), target.Length);
                _buffer.AsSpan(_start, part).CopyTo(target);
                target = target[part..];
                _start = (_start + part) % _buffer.Length;
                _count -= part;
                total += part;
            }

            Signal();
            return total;
        }

        int Put(ReadOnlySpan<byte> source)
        {
            var total = 0;
            while (_count < _buffer.Length && source.Length > 0)
            {
                var end = (_start + _count) % _buffer.Length;
                var part = Math.Min(Math.Min(_buffer.Length - _count, _buffer.Length - end), source.Length);
                source[..part].CopyTo(_buffer.AsSpan(end));
                source = source[part..];
                _count += part;
                total += part;
            }

            Signal();
            return total;
        }

        Task Changed() => (_changed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;

        void Signal()
        {
            _changed?.TrySetResult();
            _changed = null;
        }
    }
}
