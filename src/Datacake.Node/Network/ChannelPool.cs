using Datacake.Rpc;

namespace Datacake.Node.Network;

/// <summary>
/// A pool with one RPC channel for each address and server name. Channels are created on demand and disposed together with the pool. If
/// nodes keep coming back at new addresses, the pool does not grow beyond its capacity: it disposes the least recently used channel.
/// Thread-safe.
/// </summary>
sealed class ChannelPool(RpcChannelOptions options) : IAsyncDisposable
{
    /// <summary>The maximum number of channels: four times the number of node ids.</summary>
    public const int Capacity = 1_024;

    readonly Lock _lock = new();
    readonly Dictionary<(string Address, string? ServerName), Entry> _entries = [];   // this and all fields below: under the lock
    long _uses;
    Task _disposing = Task.CompletedTask;
    bool _isDisposed;

    sealed class Entry(RpcChannel channel)
    {
        public RpcChannel Channel => channel;

        public long LastUse { get; set; }
    }

    /// <param name="address">The address to connect to.</param>
    /// <param name="serverName">
    /// The name that the server's certificate must contain, unless the options set one; null for the host of the address. Set it for an
    /// address to which a name was resolved, so that the server must present a certificate for that name.
    /// </param>
    public RpcChannel To(string address, string? serverName = null)
    {
        if (options.Tls is not { ServerName: null })
            serverName = null;
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_entries.TryGetValue((address, serverName), out var entry))
            {
                if (_entries.Count == Capacity)
                    Dispose(_entries.MinBy(known => known.Value.LastUse).Key);
                var named = serverName is null ? options : options with { Tls = options.Tls! with { ServerName = serverName } };
                entry = new Entry(new RpcChannel(address, named));
                _entries.Add((address, serverName), entry);
            }
            entry.LastUse = ++_uses;
            return entry.Channel;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task disposing;
        lock (_lock)
        {
            _isDisposed = true;
            foreach (var key in _entries.Keys.ToArray())
                Dispose(key);
            disposing = _disposing;
        }
        await disposing.ConfigureAwait(false);
    }

    void Dispose((string Address, string? ServerName) key)
    {
        _entries.Remove(key, out var entry);
        _disposing = Task.WhenAll(_disposing, Task.Run(() => entry!.Channel.DisposeAsync().AsTask()));
    }
}
