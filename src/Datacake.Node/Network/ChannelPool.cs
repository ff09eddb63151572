using Datacake.Rpc;

namespace Datacake.Node;

/// <summary>
/// One channel for each address and name of its server, made when first asked for, all disposed together. Nodes that come back under ever new addresses do not make it grow: beyond
/// a number that is far above that of the nodes, the channel that was not asked for the longest is disposed. Thread-safe.
/// </summary>
sealed class ChannelPool(RpcChannelOptions options) : IAsyncDisposable
{
    /// <summary>Four times as many as there are node ids.</summary>
    public const int Capacity = 1_024;

    readonly Lock _lock = new();
    readonly Dictionary<(string Address, string? ServerName), Entry> _entries = [];   // all below under the lock
    long _asked;
    Task _disposing = Task.CompletedTask;
    bool _isDisposed;

    sealed class Entry(RpcChannel channel)
    {
        public RpcChannel Channel => channel;

        public long LastAsked { get; set; }
    }

    /// <param name="address">The address to connect to.</param>
    /// <param name="serverName">
    /// The name that the server's certificate must be for, unless the options name one; null for the host of the address. An address that was looked up
    /// must show a certificate for the name that stands for it.
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
                    Dispose(_entries.MinBy(known => known.Value.LastAsked).Key);
                var named = serverName is null ? options : options with { Tls = options.Tls! with { ServerName = serverName } };
                entry = new Entry(new RpcChannel(address, named));
                _entries.Add((address, serverName), entry);
            }
            entry.LastAsked = ++_asked;
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
