using LiteDB;

namespace Datacake.Benchmarks.Orm;

/// <summary>The shop on LiteDB, an embedded document database for .NET. LiteDB has no asynchronous methods and always flushes.</summary>
sealed class LiteDbShop : IShop
{
    public const string System = "LiteDB";

    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake-benchmark-");
    readonly LiteDatabase _database;
    readonly ILiteCollection<Product> _products;

    public LiteDbShop()
    {
        _database = new LiteDatabase(Path.Combine(_directory.FullName, "shop.db"), new BsonMapper { EnumAsInteger = true });
        _products = _database.GetCollection<Product>("products", BsonAutoId.Int64);
        _products.EnsureIndex(product => product.Category);
    }

    public Task AddRangeAsync(long firstId, int count)
    {
        _products.InsertBulk(Enumerable.Range(0, count).Select(i => Product.Of(firstId + i)), count);
        return Task.CompletedTask;
    }

    public Task AddAsync(long id)
    {
        _products.Insert(Product.Of(id));
        return Task.CompletedTask;
    }

    public Task UpdateStockAsync(long id, int stock)
    {
        var product = _products.FindById(id);
        product.Stock = stock;
        _products.Update(product);
        return Task.CompletedTask;
    }

    public Task<Product?> FindAsync(long id) => Task.FromResult<Product?>(_products.FindById(id));

    public Task<List<Product>> InCategoryAsync(string category) => Task.FromResult(_products.Find(Query.EQ("Category", category)).ToList());

    public Task<List<Product>> PageAsync(long fromId, int count) => Task.FromResult(_products.Find(Query.GTE("_id", fromId), limit: count).ToList());

    public Task<List<Product>> AllAsync() => Task.FromResult(_products.FindAll().ToList());

    public ValueTask DisposeAsync()
    {
        _database.Dispose();
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
