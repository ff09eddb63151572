using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>The collection of tests that query the same market. They run one after the other.</summary>
[CollectionDefinition(QueriedMarket.Tests)]
public sealed class QueriedMarketTests : ICollectionFixture<QueriedMarket>;

/// <summary>A market with indexes in its own store, and a copy in memory.</summary>
public sealed class QueriedMarket : IAsyncLifetime
{
    public const string Tests = "Tests that query the same market";

    DatacakeNode? _node;

    public MarketData Data { get; } = MarketData.Make(seed: 11);

    public DatacakeNode Node => _node ?? throw new InvalidOperationException("The node has not started.");

    public IndexedMarketContext NewContext() => new(Node) { DefaultConsistency = Consistency.None };

    public async ValueTask InitializeAsync()
    {
        _node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory(), TestContext.Current.CancellationToken);
        await using var db = NewContext();
        await MarketTests.FillIndexedAsync(db, Data);
    }

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
            await _node.DisposeAsync();
    }
}
