using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Datacake.Rpc.Transport;

namespace Datacake.Rpc;

/// <summary>
/// A network inside the process, without sockets. Servers and channels that share an instance can reach each other by address. The bytes
/// and framing are the same as over TCP.
/// </summary>
public sealed class InMemoryTransport : ITransport
{
    const int Backlog = 512;
    const int FirstFreePort = 49152;

    readonly ConcurrentDictionary<string, Listener> _listeners = new(StringComparer.Ordinal);
    int _lastPort = FirstFreePort;
    int _lastClient;

    /// <inheritdoc/>
    public ValueTask<ITransportListener> ListenAsync(string address, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(address);
        if (address.EndsWith(":0", StringComparison.Ordinal))
            address = string.Create(CultureInfo.InvariantCulture, $"{address[..^2]}:{Interlocked.Increment(ref _lastPort)}");
        var listener = new Listener(this, address);
        return _listeners.TryAdd(address, listener)
            ? ValueTask.FromResult<ITransportListener>(listener)
            : throw new RpcException(RpcStatus.Connection, $"Cannot listen at {address}: the address is already in use.");
    }

    /// <inheritdoc/>
    public ValueTask<TransportConnection> ConnectAsync(string address, CancellationToken cancellationToken = default)
    {
        var (near, far) = InMemoryStream.CreatePair();
        var client = $"client-{Interlocked.Increment(ref _lastClient)}";
        if (_listeners.TryGetValue(address, out var listener) && listener.TryOffer(new TransportConnection(far, client)))
            return ValueTask.FromResult(new TransportConnection(near, address));
        throw new RpcException(RpcStatus.Connection, $"Cannot connect to {address}: there is no listener at this address.");
    }

    sealed class Listener(InMemoryTransport network, string address) : ITransportListener
    {
        readonly Channel<TransportConnection> _waiting = Channel.CreateBounded<TransportConnection>(Backlog);

        public string Address => address;

        public bool TryOffer(TransportConnection connection) => _waiting.Writer.TryWrite(connection);

        public async ValueTask<TransportConnection> AcceptAsync(CancellationToken cancellationToken = default)
        {
            try
            {
                return await _waiting.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (ChannelClosedException error)
            {
                throw new ObjectDisposedException(nameof(ITransportListener), error);
            }
        }

        public async ValueTask DisposeAsync()
        {
            network._listeners.TryRemove(KeyValuePair.Create(address, this));
            _waiting.Writer.TryComplete();
            while (_waiting.Reader.TryRead(out var connection))
                await connection.DisposeAsync().ConfigureAwait(false);
        }
    }
}
