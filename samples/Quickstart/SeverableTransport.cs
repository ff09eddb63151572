using Datacake.Rpc;

namespace Datacake.Quickstart;

/// <summary>The network of one node: a cable that can be pulled out and plugged in again, with a meter on it.</summary>
sealed class SeverableTransport(ITransport network) : ITransport
{
    readonly Lock _lock = new();
    readonly HashSet<Connection> _connections = [];     // under the lock
    bool _isSevered;                                    // under the lock
    long _bytesReceived;

    /// <summary>Gets the number of bytes received, gossip included.</summary>
    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    /// <summary>Closes all connections and refuses new ones in both directions.</summary>
    public async ValueTask SeverAsync()
    {
        Connection[] connections;
        lock (_lock)
        {
            _isSevered = true;
            connections = [.. _connections];
        }
        foreach (var connection in connections)
            await connection.DisposeAsync();
    }

    /// <summary>Accepts and opens connections again.</summary>
    public void Restore()
    {
        lock (_lock)
            _isSevered = false;
    }

    public async ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default) =>
        new Listener(this, await network.ListenAsync(address, cancellationToken));

    public async ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default) =>
        await TryAdmitAsync(await network.ConnectAsync(address, cancellationToken))
            ?? throw new RpcException(RpcStatus.Connection, $"Cannot connect to {address}: this node is cut off.");

    async ValueTask<Connection?> TryAdmitAsync(TransportConnection connection)
    {
        var admitted = new Connection(this, connection);
        lock (_lock)
        {
            if (!_isSevered)
            {
                _connections.Add(admitted);
                return admitted;
            }
        }
        await admitted.DisposeAsync();
        return null;
    }

    sealed class Listener(SeverableTransport owner, ITransportListener inner) : ITransportListener
    {
        public string Address => inner.Address;

        public async ValueTask<TransportConnection> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (true)
            {
                if (await owner.TryAdmitAsync(await inner.AcceptAsync(cancellationToken)) is { } admitted)
                    return admitted;
            }
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }

    sealed class Connection(SeverableTransport owner, TransportConnection inner)
        : TransportConnection(new MeteredStream(owner, inner.Stream), inner.RemoteAddress)
    {
        public override async ValueTask DisposeAsync()
        {
            lock (owner._lock)
                owner._connections.Remove(this);
            await inner.DisposeAsync();
            await base.DisposeAsync();
        }
    }

    /// <summary>A stream that counts the bytes read.</summary>
    sealed class MeteredStream(SeverableTransport owner, Stream inner) : Stream
    {
        public override bool CanRead => true;

        public override bool CanWrite => true;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            Count(await inner.ReadAsync(buffer, cancellationToken));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => Count(inner.Read(buffer, offset, count));

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            inner.WriteAsync(buffer, cancellationToken);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            inner.WriteAsync(buffer, offset, count, cancellationToken);

        public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

        public override void Flush() => inner.Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                inner.Dispose();
            base.Dispose(disposing);
        }

        int Count(int bytes)
        {
            Interlocked.Add(ref owner._bytesReceived, bytes);
            return bytes;
        }
    }
}
