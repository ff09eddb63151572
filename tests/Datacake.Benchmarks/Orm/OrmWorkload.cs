using Datacake.Benchmarks.Measuring;
using Datacake.Storage;

namespace Datacake.Benchmarks.Orm;

/// <summary>The typical operations of an ORM on a store of 10,000 products. Each operation is a unit of work with its own context.</summary>
static class OrmWorkload
{
    const int Products = 10_000;
    const long FirstId = 1;        // LiteDB treats an id of zero as unset
    const int InCategory = Products / Product.Categories;
    const int PageSize = 20;
    const int ConcurrentSaves = 16;

    const string OnSqlite = "Datacake, SQLite", OnLmdb = "Datacake, LMDB";

    public static async Task RunAsync(Runner runner)
    {
        await MeasureReadAsync(
            runner, "find by key", 1, (3, 8), async (shop, random) => await shop.FindAsync(FirstId + random.Next(Products)) is null ? 0 : 1);
        await MeasureReadAsync(
            runner, $"index query of {InCategory}", InCategory, (2.5, 4),
            async (shop, random) => (await shop.InCategoryAsync(Product.CategoryOf(random.Next(Products)))).Count);
        await MeasureReadAsync(
            runner, $"page of {PageSize}", PageSize, (4, 4),
            async (shop, random) => (await shop.PageAsync(FirstId + random.Next(Products - PageSize), PageSize)).Count);
        await MeasureReadAsync(runner, $"read all {Products}", Products, (1.5, 3), async (shop, _) => (await shop.AllAsync()).Count);

        // The disk dominates the time of a durable save. Buffered commits show the rest.
        foreach (var durability in new[] { Durability.Flushed, Durability.Buffered })
        {
            bool isFlushed = durability == Durability.Flushed;
            await MeasureWriteAsync(
                runner, durability, $"saves tasks={ConcurrentSaves}", ConcurrentSaves, 1, 6, (shop, id) => shop.AddAsync(id));
            await MeasureWriteAsync(
                runner, durability, $"bulk of {Products}", 1, Products, 3, (shop, id) => shop.AddRangeAsync(id * Products, Products));
            await MeasureWriteAsync(
                runner, durability, "update of one property", 1, 1, isFlushed ? null : 2,
                (shop, id) => shop.UpdateStockAsync(FirstId + id % Products, (int)id));
        }
    }

    static Task MeasureReadAsync(
        Runner runner, string name, int items, (double OnSqlite, double OnLmdb) factors, Func<IShop, Random, Task<int>> read)
    {
        return runner.MeasureAsync(new Cell(
            "orm", name,
            Of(OnSqlite, () => DatacakeShop.OpenAsync(StoreKind.Sqlite, Durability.Buffered)),
            Of(OnLmdb, () => DatacakeShop.OpenAsync(StoreKind.Lmdb, Durability.Buffered)),
            Of(EntityFrameworkShop.System, () => EntityFrameworkShop.OpenAsync(Durability.Buffered)),
            Of(LiteDbShop.System, () => Task.FromResult<IShop>(new LiteDbShop())))
        {
            ItemsPerOperation = items,
            Targets =
            [
                Target.Times(EntityFrameworkShop.System, factors.OnSqlite),
                Target.Times(OnLmdb, EntityFrameworkShop.System, factors.OnLmdb),
                Target.Times(LiteDbShop.System, factors.OnSqlite),
            ],
        });

        Subject Of(string system, Func<Task<IShop>> open) => new(system, async () =>
        {
            var shop = await open();
            await shop.AddRangeAsync(FirstId, Products);
            var random = new Random(1);
            return new Session(async (_, _) =>
            {
                if (await read(shop, random) != items)
                    throw new InvalidDataException($"{system} returned a wrong number of products.");
            })
            {
                Close = shop.DisposeAsync,
            };
        });
    }

    static Task MeasureWriteAsync(
        Runner runner, Durability durability, string name, int workers, int items, double? factor, Func<IShop, long, Task> write)
    {
        return runner.MeasureAsync(new Cell(
            "orm", $"{name} {durability}",
            [
                Of(OnSqlite, () => DatacakeShop.OpenAsync(StoreKind.Sqlite, durability)),
                Of(OnLmdb, () => DatacakeShop.OpenAsync(StoreKind.Lmdb, durability)),
                Of(EntityFrameworkShop.System, () => EntityFrameworkShop.OpenAsync(durability)),
                .. durability == Durability.Flushed ? [Of(LiteDbShop.System, () => Task.FromResult<IShop>(new LiteDbShop()))] : Array.Empty<Subject>(),
            ])
        {
            Workers = workers,
            ItemsPerOperation = items,
            Targets = factor is { } times ? [Target.Times(EntityFrameworkShop.System, times), Target.Times(LiteDbShop.System, times)] : [],
        });

        Subject Of(string system, Func<Task<IShop>> open) => new(system, async () =>
        {
            var shop = await open();
            await shop.AddRangeAsync(FirstId, Products);
            long lastId = Products;
            return new Session((_, _) => new ValueTask(write(shop, Interlocked.Increment(ref lastId)))) { Close = shop.DisposeAsync };
        });
    }
}
