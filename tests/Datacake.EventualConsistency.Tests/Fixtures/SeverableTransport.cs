using Datacake.Rpc;

namespace Datacake.EventualConsistency.Tests.Fixtures;

/// <summary>TCP that can be cut: all connections of the node break, and no new ones open until it is healed.</summary>
/// <param name="bytesBeforeCut">The number of bytes that arrive before the first cut. Further bytes are held back until then.</param>
sealed class SeverableTransport(long bytesBeforeCut = long.MaxValue) : ITransport
{
    const int SlowReadLength = 16 * 1024;

    readonly TcpTransport _tcp = new();
    readonly Lock _lock = new();
    readonly List<TransportConnection> _open = [];
    readonly TaskCompletionSource _hasBeenCut = new(TaskCreationOptions.RunContinuationsAsynchronously);
    volatile TaskCompletionSource? _paused;
    bool _isCut;
    long _bytesReceived;

    /// <summary>Gets the number of bytes received on all connections.</summary>
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

    public void Heal()
    {
        lock (_lock)
            _isCut = false;
    }

    /// <summary>Gets or sets the function that decides the outcome of an attempt to connect to an address.</summary>
    public Func<string, DialFate> FateOf { get; set; } = _ => DialFate.Connects;

    /// <summary>Gets or sets the delay of each read. A delayed read returns at most <see cref="SlowReadLength"/> bytes.</summary>
    public TimeSpan ReadDelay { get; set; }

    /// <summary>Pulls the cable: old and new connections silently stop receiving and sending.</summary>
    public void Pause() => _paused ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Lets the bytes that were held back continue.</summary>
    public void Resume()
    {
        _paused?.TrySetResult();
        _paused = null;
    }

    public async ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken) =>
        new Listener(this, await _tcp.ListenAsync(address, cancellationToken));

    public async ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken)
    {
        switch (FateOf(address))
        {
            case DialFate.Refused:
                throw new IOException($"No route to {address}.");
            case DialFate.Hangs:
                await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
                break;
        }
        return Admit(await _tcp.ConnectAsync(address, cancellationToken)) ?? throw new IOException("The link is cut.");
    }

    TransportConnection? Admit(TransportConnection connection)
    {
        lock (_lock)
        {
            if (!_isCut)
            {
                connection = new TransportConnection(
                    new CountingStream(connection.Stream, count => Interlocked.Add(ref _bytesReceived, count), WaitToReadAsync, WaitWhilePausedAsync)
                    {
                        MaxRead = () => ReadDelay > TimeSpan.Zero ? SlowReadLength : int.MaxValue,
                    },
                    connection.RemoteAddress);
                _open.Add(connection);
                return connection;
            }
        }
        connection.Stream.Dispose();
        return null;
    }

    async Task WaitToReadAsync()
    {
        if (ReadDelay > TimeSpan.Zero)
            await Task.Delay(ReadDelay);
        if (BytesReceived >= bytesBeforeCut)
            await _hasBeenCut.Task;
        await WaitWhilePausedAsync();
    }

    Task WaitWhilePausedAsync() => _paused?.Task ?? Task.CompletedTask;

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

/// <summary>The outcome of an attempt to connect.</summary>
enum DialFate
{
    Connects,
    Refused,
    Hangs,
}
