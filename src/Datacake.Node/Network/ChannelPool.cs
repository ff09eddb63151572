using Datacake.Rpc;

namespace Datacake.Node;

/// <summary>
/// One channel for each address, made when first asked for, all disposed together. Nodes that come back under ever new addresses do not make it grow: beyond
/// a number that is far above that of the nodes, the channel that was not asked for the longest is disposed. Thread-safe.
/// </summary>
sealed class ChannelPool(RpcChannelOptions options) : IAsyncDisposable
{
    /// <summary>Four times as many as there are node ids.</summary>
    public const int Capacity = 1_024;

    readonly Lock _lock = new();
    readonly Dictionary<string, Entry> _entries = [];   // all below under the lock
    long _asked;
    Task _disposing = Task.CompletedTask;
    bool _isDisposed;

    sealed class Entry(RpcChannel channel)
    {
        public RpcChannel Channel => channel;

        public long LastAsked { get; set; }
    }

    public RpcChannel To(string address)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (!_entries.TryGetValue(address, out var entry))
            {
                if (_entries.Count == Capacity)
                    Dispose(_entries.MinBy(known => known.Value.LastAsked).Key);
                entry = new Entry(new RpcChannel(address, options));
                _entries.Add(address, entry);
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
            foreach (string address in _entries.Keys.ToArray())
                Dispose(address);
            disposing = _disposing;
        }
        await disposing.ConfigureAwait(false);
    }

    void Dispose(string address)
    {
        _entries.Remove(address, out var entry);
        _disposing = Task.WhenAll(_disposing, Task.Run(() => entry!.Channel.DisposeAsync().AsTask()));
    }
}
