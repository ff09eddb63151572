namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>A transport whose connections a test can cut, silence and count, and whose bytes it can see and change.</summary>
sealed class TestTransport(ITransport inner) : ITransport
{
    readonly Lock _gate = new();
    readonly List<TestStream> _outgoing = [];

    /// <summary>Gets the number of attempts to connect.</summary>
    public int Attempts { get; private set; }

    /// <summary>Gets the number of bytes that connecting sides have received.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Gets the number of bytes that had arrived when the latest read began, all of which have been handled.</summary>
    public long BytesHandled { get; private set; }

    /// <summary>Gets the number of writes that have waited for a permit.</summary>
    public int WritesWaiting { get; private set; }

    /// <summary>Gets all bytes written by connecting sides.</summary>
    public MemoryStream Written { get; } = new();

    /// <summary>Gets or sets a semaphore. If it is set, every write of a connecting side first takes a permit.</summary>
    public SemaphoreSlim? WritePermits { get; set; }

    /// <summary>Gets or sets the function that replaces the bytes of each write of a connecting side.</summary>
    public Func<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>> Tamper { get; set; } = bytes => bytes;

    public ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) =>
        inner.ListenAsync(address, cancellationToken);

    public async ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default)
    {
        Attempts++;
        var connection = await inner.ConnectAsync(address, cancellationToken);
        var stream = new TestStream(this, connection.Stream);
        lock (_gate)
            _outgoing.Add(stream);
        return new TransportConnection(stream, connection.RemoteAddress);
    }

    /// <summary>Closes all connections opened so far.</summary>
    public async Task CutAsync()
    {
        foreach (var stream in TakeAll())
            await stream.DisposeAsync();
    }

    /// <summary>Pulls the plug: all connections opened so far discard what is written and receive nothing.</summary>
    public void Silence()
    {
        foreach (var stream in TakeAll())
            stream.IsSilent = true;
    }

    List<TestStream> TakeAll()
    {
        lock (_gate)
            return [.. _outgoing];
    }

    sealed class TestStream(TestTransport transport, Stream inner) : Stream
    {
        readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsSilent { get; set; }

        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            transport.BytesHandled = transport.BytesRead;
            while (true)
            {
                var count = await inner.ReadAsync(buffer, cancellationToken);
                if (!IsSilent)
                {
                    transport.BytesRead += count;
                    return count;
                }

                if (count > 0)
                    continue;
                await _disposed.Task.WaitAsync(cancellationToken);
                return 0;
            }
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (IsSilent)
                return;
            if (transport.WritePermits is { } permits)
            {
                transport.WritesWaiting++;
                await permits.WaitAsync(cancellationToken);
            }

            lock (transport._gate)
                transport.Written.Write(buffer.Span);
            await inner.WriteAsync(transport.Tamper(buffer), cancellationToken);
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush()
        {
        }

        protected override void Dispose(bool disposing)
        {
            _disposed.TrySetResult();
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
