using Datacake.Data;

namespace Datacake.Benchmarks.Orm;

/// <summary>The entity that all systems store.</summary>
sealed class Product
{
    public const int Categories = 10;

    public long Id { get; set; }

    public string Name { get; set; } = "";

    [Index]
    public string Category { get; set; } = "";

    public decimal Price { get; set; }

    public int Stock { get; set; }

    public DateTime Created { get; set; }

    /// <summary>Returns the product with this id. One in ten products is in the same category.</summary>
    public static Product Of(long id) => new()
    {
        Id = id,
        Name = $"Product number {id}",
        Category = CategoryOf(id),
        Price = id % 1_000 + 0.99m,
        Stock = (int)(id % 100),
        Created = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(id),
    };

    public static string CategoryOf(long id) => $"category {id % Categories}";
}
