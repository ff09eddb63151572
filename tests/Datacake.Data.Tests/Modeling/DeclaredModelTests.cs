using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;

namespace Datacake.Data.Tests.Modeling;

/// <summary>Tests of a model that is declared before the store opens.</summary>
public sealed class DeclaredModelTests : IDisposable
{
    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("datacake-model-");

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Index_survives_a_write_before_the_first_context_after_a_restart_if_the_model_is_declared(bool isDeclared)
    {
        await using (var node = await StartAsync(isDeclared))
        {
            await using var db = new ShopContext(node) { DefaultConsistency = Consistency.None };
            for (int id = 1; id <= 20; id++)
                db.Products.Add(new Product { Id = id, Name = $"product {id}", Category = "bread" });
            await db.SaveChangesAsync(Token);
        }
        await using (var node = await StartAsync(isDeclared))
        {
            var store = await node.OpenStoreAsync(Token);
            Assert.Equal(isDeclared ? 1 : 0, store.ListIndexes("Products").Count(index => index.IsBuilt));
            // Stands for another node's write that arrives before any context has been created here.
            await store.Keyspace("Products").DeleteAsync(1L, Consistency.None, Token);
            Assert.Equal(isDeclared ? 1 : 0, store.ListIndexes("Products").Count(index => index.IsBuilt));
            await using var db = new ShopContext(node);
            Assert.Equal(19, (await db.Products.Where(product => product.Category == "bread").ToListAsync(Token)).Count);
        }
    }

    async Task<DatacakeNode> StartAsync(bool isDeclared) => await DatacakeNode.StartAsync(
        options =>
        {
            options.WithNodeId(1).ListenOn("127.0.0.1:0").UseSqlite(Path.Combine(_folder.FullName, "shop.db"));
            if (isDeclared)
                options.WithModel<ShopContext>();
        },
        Token);
}
