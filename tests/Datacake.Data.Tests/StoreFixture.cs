using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

[assembly: AssemblyFixture(typeof(Datacake.Data.Tests.StoreFixture))]

namespace Datacake.Data.Tests;

/// <summary>An in-memory node that all tests share. Each test uses its own entities or its own keyspace.</summary>
public sealed class StoreFixture : IAsyncLifetime
{
    DatacakeNode? _node;

    public DatacakeNode Node => _node ?? throw new InvalidOperationException("The node has not started.");

    public ShopContext NewContext() => new(Node) { DefaultConsistency = Consistency.None };

    public async ValueTask InitializeAsync() =>
        _node = await DatacakeNode.StartAsync(
            options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
            await _node.DisposeAsync();
    }
}
