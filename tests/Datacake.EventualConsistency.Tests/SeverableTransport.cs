using Datacake.Rpc;

namespace Datacake.EventualConsistency.Tests;

/// <summary>TCP that can be cut: all connections of the node break, and no new ones come about until it is mended.</summary>
/// <param name="bytesBeforeCut">What comes before the first cut; the rest is on its way until then.</param>
sealed class SeverableTransport(long bytesBeforeCut = long.MaxValue) : ITransport
{
    readonly TcpTransport _tcp = new();
    readonly Lock _lock = new();
    readonly List<TransportConnection> _open = [];
    readonly TaskCompletionSource _hasBeenCut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    bool _isCut;
    long _bytesReceived;

    /// <summary>Bytes that came on all connections so far.</summary>
    public long BytesReceived => Interlocked.Read(ref _bytesReceived);

    public void Cut()
    {
        lock (_lock)
        {
            _isCut = true;
            foreach (var connection in _open)
                connection.Stream.Dispose();
            _open.Clear();
        }
        _hasBeenCut.TrySetResult();
    }

    public void Mend()
    {
        lock (_lock)
            _isCut = false;
    }

    public async ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken) =>
        new Listener(this, await _tcp.ListenAsync(address, cancellationToken));

    public async ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken) =>
        Admit(await _tcp.ConnectAsync(address, cancellationToken)) ?? throw new IOException("The link is cut.");

    TransportConnection? Admit(TransportConnection connection)
    {
        lock (_lock)
        {
            if (!_isCut)
            {
                connection = new TransportConnection(
                    new CountingStream(connection.Stream, count => Interlocked.Add(ref _bytesReceived, count), WaitForTurnAsync), connection.RemoteAddress);
                _open.Add(connection);
                return connection;
            }
        }
        connection.Stream.Dispose();
        return null;
    }

    Task WaitForTurnAsync() => BytesReceived < bytesBeforeCut ? Task.CompletedTask : _hasBeenCut.Task;

    sealed class Listener(SeverableTransport transport, ITransportListener tcp) : ITransportListener
    {
        public string Address => tcp.Address;

        public async ValueTask<TransportConnection> AcceptAsync(CancellationToken cancellationToken)
        {
            while (true)
            {
                if (transport.Admit(await tcp.AcceptAsync(cancellationToken)) is { } admitted)
                    return admitted;
            }
        }

        public ValueTask DisposeAsync() => tcp.DisposeAsync();
    }
}
