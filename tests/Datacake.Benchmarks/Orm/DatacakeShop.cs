using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Replication;
using Datacake.Data;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Benchmarks.Orm;

/// <summary>The shop on a single Datacake node.</summary>
sealed class DatacakeShop : IShop
{
    readonly StoreKind? _stores;        // null if a server has the files
    readonly DatacakeCluster _cluster;

    DatacakeShop(StoreKind? stores, DatacakeCluster cluster)
    {
        _stores = stores;
        _cluster = cluster;
    }

    public static async Task<IShop> OpenAsync(string engine, Durability durability)
    {
        var stores = new StoreKind(engine);
        return new DatacakeShop(stores, await DatacakeCluster.StartAsync(stores.Open(1), durability));
    }

    /// <summary>Opens the shop on a store, which it owns.</summary>
    public static async Task<IShop> OpenAsync(IStorage storage, Durability durability) => new DatacakeShop(null, await DatacakeCluster.StartAsync([storage], durability));

    public async Task AddRangeAsync(long firstId, int count)
    {
        await using var db = Open();
        for (int i = 0; i < count; i++)
            db.Products.Add(Product.Of(firstId + i));
        await db.SaveChangesAsync();
    }

    public async Task AddAsync(long id)
    {
        await using var db = Open();
        db.Products.Add(Product.Of(id));
        await db.SaveChangesAsync();
    }

    public async Task UpdateStockAsync(long id, int stock)
    {
        await using var db = Open();
        var product = await db.Products.FindAsync(id);
        product!.Stock = stock;
        await db.SaveChangesAsync();
    }

    public async Task<Product?> FindAsync(long id)
    {
        await using var db = Open();
        return await db.Products.FindAsync(id);
    }

    public async Task<List<Product>> InCategoryAsync(string category)
    {
        await using var db = Open();
        return await db.Products.AsNoTracking().Where(product => product.Category == category).ToListAsync();
    }

    public async Task<List<Product>> PageAsync(long fromId, int count)
    {
        await using var db = Open();
        return await db.Products.AsNoTracking().Where(product => product.Id >= fromId).OrderBy(product => product.Id).Take(count).ToListAsync();
    }

    public async Task<List<Product>> AllAsync()
    {
        await using var db = Open();
        return await db.Products.AsNoTracking().ToListAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _stores?.Dispose();
    }

    ShopContext Open() => new(_cluster.Nodes[0]);
}

sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }
}
