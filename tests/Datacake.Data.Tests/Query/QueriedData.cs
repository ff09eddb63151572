using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>The collection of tests that query the same data. They run one after the other.</summary>
[CollectionDefinition(QueriedData.Tests)]
public sealed class QueriedDataTests : ICollectionFixture<QueriedData>;

/// <summary>A few hundred random entities in the store, and a copy in memory in key order.</summary>
public sealed class QueriedData(StoreFixture store) : IAsyncLifetime
{
    public const string Tests = "Tests that query the same data";

    const int Count = 300;

    public List<Everything> Entities { get; private set; } = [];

    public QueryContext NewContext() => new(store.Node) { DefaultConsistency = Consistency.None };

    public async ValueTask InitializeAsync() => Entities = await FillAsync(store.Node, TestContext.Current.CancellationToken);

    /// <summary>Writes the entities to a node's store and returns them in key order.</summary>
    public static async Task<List<Everything>> FillAsync(DatacakeNode node, CancellationToken token)
    {
        await using var db = new QueryContext(node) { DefaultConsistency = Consistency.None };
        var entities = Enumerable.Range(0, Count).Select(i => Gens.EverythingOf((ulong)i)).ToList();
        db.Everything.AddRange(entities);
        await db.SaveChangesAsync(token);

        // Changes and deletes test that the indexes are maintained.
        foreach (var (i, entity) in entities.Index().Where(item => item.Index % 3 == 0))
        {
            var other = Gens.EverythingOf((ulong)(Count + i));
            (entity.Int32, entity.NullableInt32, entity.NullableString, entity.Status) = (
                other.Int32, other.NullableInt32, other.NullableString, other.Status);
            (entity.Set, entity.Owned, entity.DateOnly, entity.Decimal) = (other.Set, other.Owned, other.DateOnly, other.Decimal);
        }
        await db.SaveChangesAsync(token);
        var removed = entities.Where((_, i) => i % 10 == 0).ToList();
        db.Everything.RemoveRange(removed);
        await db.SaveChangesAsync(token);
        return [.. entities.Except(removed).OrderBy(entity => entity.Id)];
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
