using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

[assembly: AssemblyFixture(typeof(Datacake.Data.Tests.StoreFixture))]

namespace Datacake.Data.Tests;

/// <summary>One node in memory for all tests; each test uses entities, or a keyspace, of its own.</summary>
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
