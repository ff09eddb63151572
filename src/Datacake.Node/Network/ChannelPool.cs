using System.Collections.Concurrent;
using Datacake.Rpc;

namespace Datacake.Node;

/// <summary>One channel for each address, made when first asked for, all disposed together. Thread-safe.</summary>
sealed class ChannelPool(RpcChannelOptions options) : IAsyncDisposable
{
    readonly ConcurrentDictionary<string, RpcChannel> _channels = new();
    volatile bool _isDisposed;

    public RpcChannel To(string address)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return _channels.GetOrAdd(address, static (address, options) => new RpcChannel(address, options), options);
    }

    public async ValueTask DisposeAsync()
    {
        _isDisposed = true;
        foreach (var channel in _channels.Values)
            await channel.DisposeAsync().ConfigureAwait(false);
    }
}
