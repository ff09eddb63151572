using System.Collections.Concurrent;
using System.Text;
using Datacake.Rpc;

namespace Datacake.Node.Tests;

/// <summary>The worked example of the README: a key that one node drops from its cache is dropped by all other live nodes, too.</summary>
sealed class CacheInvalidation : RpcService, IClusterExtension<CacheInvalidation>, IAsyncDisposable
{
    readonly ConcurrentDictionary<string, string> _cache = new();
    DatacakeNode _node = null!;

    public override string Name => "cache";

    public string GetOrAdd(string key, Func<string, string> load) => _cache.GetOrAdd(key, load);

    public async Task InvalidateAsync(string key, CancellationToken cancellationToken = default)
    {
        _cache.TryRemove(key, out _);
        var others = _node.Members.Where(member => member.IsUp && member.NodeId != _node.Id);
        await Task.WhenAll(others.Select(async member =>
        {
            using var reply = await _node.ChannelTo(member.Address).CallAsync(
                Name, "drop", Encoding.UTF8.GetBytes(key), cancellationToken: cancellationToken);
        }));
    }

    protected override void Register(RpcHandlers handlers) => handlers.HandleBytes("drop", (request, _) =>
    {
        _cache.TryRemove(Encoding.UTF8.GetString(request.Payload.Span), out var _);
        return ValueTask.FromResult(ReadOnlyMemory<byte>.Empty);
    });

    public ValueTask<CacheInvalidation> StartAsync(DatacakeNode node, CancellationToken cancellationToken)
    {
        _node = node;
        node.Server.AddService(this);
        return ValueTask.FromResult(this);
    }

    public ValueTask DisposeAsync()
    {
        _node.Server.RemoveService(Name);
        return ValueTask.CompletedTask;
    }
}
