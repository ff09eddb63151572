using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Orm;
using Datacake.PostgreSql;
using Datacake.Storage;
using Datacake.Tests;

namespace Datacake.Benchmarks.PostgreSql;

/// <summary>
/// The operations of the ORM cells on a PostgreSQL server on this machine, which flushes its files. Each system has a database of its own on the same server.
/// </summary>
static class PostgreSqlWorkload
{
    const int Products = 10_000;
    const long FirstId = 1;
    const int InCategory = Products / Product.Categories;
    const int PageSize = 20;
    const int ConcurrentSaves = 16;
    const string System = "Datacake, PostgreSQL", EntityFramework = "EF Core, PostgreSQL";

    public static async Task RunAsync(Runner runner)
    {
        if (PostgreSqlServer.FindPrograms() is null)
            return;
        await using var server = await PostgreSqlServer.StartAsync();
        await MeasureAsync(runner, server, "find by key", 1, 1, null, async (shop, id) => await shop.FindAsync(FirstId + id % Products));
        await MeasureAsync(runner, server, $"index query of {InCategory}", 1, InCategory, null, (shop, id) => shop.InCategoryAsync(Product.CategoryOf((int)(id % Products))));
        await MeasureAsync(runner, server, $"page of {PageSize}", 1, PageSize, null, (shop, id) => shop.PageAsync(FirstId + id % (Products - PageSize), PageSize));
        await MeasureAsync(runner, server, $"read all {Products}", 1, Products, null, (shop, _) => shop.AllAsync());
        await MeasureAsync(runner, server, $"saves tasks={ConcurrentSaves}", ConcurrentSaves, 1, 3, (shop, id) => shop.AddAsync(id));
        await MeasureAsync(runner, server, $"bulk of {Products}", 1, Products, 2, (shop, id) => shop.AddRangeAsync(id * Products, Products));
        await MeasureAsync(runner, server, "update of one property", 1, 1, null, (shop, id) => shop.UpdateStockAsync(FirstId + id % Products, (int)id));
    }

    static Task MeasureAsync(Runner runner, PostgreSqlServer server, string name, int workers, int items, double? factor, Func<IShop, long, Task> operate)
    {
        return runner.MeasureAsync(new Cell(
            "postgresql", name,
            Of(System, database => DatacakeShop.OpenAsync(new PostgreSqlStorage(database), Durability.Flushed)),
            Of(EntityFramework, EntityFrameworkShop.OpenAsync))
        {
            Workers = workers,
            ItemsPerOperation = items,
            Targets = factor is { } times ? [Target.Times(EntityFramework, times)] : [],
        });

        Subject Of(string system, Func<string, Task<IShop>> open) => new(system, async () =>
        {
            string database = $"shop_{Guid.NewGuid():N}";
            await server.CreateDatabaseAsync(database);
            var shop = await open(server.ConnectionStringOf(database));
            await shop.AddRangeAsync(FirstId, Products);
            long lastId = Products;
            return new Session((_, _) => new ValueTask(operate(shop, Interlocked.Increment(ref lastId)))) { Close = shop.DisposeAsync };
        });
    }
}
