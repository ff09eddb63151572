namespace Datacake.Benchmarks.Orm;

/// <summary>What the ORM cells do, on one system: each call is a unit of work of its own.</summary>
interface IShop : IAsyncDisposable
{
    /// <summary>Adds products with consecutive ids in one transaction.</summary>
    Task AddRangeAsync(long firstId, int count);

    /// <summary>Adds a product. May be called by many at once.</summary>
    Task AddAsync(long id);

    /// <summary>Reads a product to change it, and changes one property of it.</summary>
    Task UpdateStockAsync(long id, int stock);

    /// <summary>Reads a product.</summary>
    Task<Product?> FindAsync(long id);

    /// <summary>Reads the products of a category, by its index.</summary>
    Task<List<Product>> InCategoryAsync(string category);

    /// <summary>Reads so many products from an id on, in the order of their ids.</summary>
    Task<List<Product>> PageAsync(long fromId, int count);

    /// <summary>Reads all products.</summary>
    Task<List<Product>> AllAsync();
}
