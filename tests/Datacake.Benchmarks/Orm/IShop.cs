namespace Datacake.Benchmarks.Orm;

/// <summary>The operations of the ORM cells on one system. Each call is a separate unit of work.</summary>
interface IShop : IAsyncDisposable
{
    /// <summary>Adds products with consecutive ids in one transaction.</summary>
    Task AddRangeAsync(long firstId, int count);

    /// <summary>Adds a product. Can be called concurrently.</summary>
    Task AddAsync(long id);

    /// <summary>Reads a product, changes one property and saves it.</summary>
    Task UpdateStockAsync(long id, int stock);

    /// <summary>Reads a product.</summary>
    Task<Product?> FindAsync(long id);

    /// <summary>Reads the products of a category by an index.</summary>
    Task<List<Product>> InCategoryAsync(string category);

    /// <summary>Reads the given number of products in id order, starting at an id.</summary>
    Task<List<Product>> PageAsync(long fromId, int count);

    /// <summary>Reads all products.</summary>
    Task<List<Product>> AllAsync();
}
