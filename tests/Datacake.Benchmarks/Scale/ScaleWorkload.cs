using Datacake.Benchmarks.Measuring;

namespace Datacake.Benchmarks.Scale;

/// <summary>The operations that SQL databases are fast at, on a large store with three indexes: counts, pages far from the start, aggregates, and changes of many entities at a time.</summary>
static class ScaleWorkload
{
    const long FirstId = 1;
    const int PageSize = 20;

    const string OnSqlite = "Datacake, SQLite", OnLmdb = "Datacake, LMDB";

    public static async Task RunAsync(Runner runner)
    {
        int sales = runner.Pace.IsQuick ? 100_000 : 1_000_000, inRegion = sales / Sale.Regions, updates = 0;
        await using var onSqlite = Shared(() => DatacakeSales.OpenAsync(StoreKind.Sqlite));
        await using var onLmdb = Shared(() => DatacakeSales.OpenAsync(StoreKind.Lmdb));
        await using var entityFramework = Shared(EntityFrameworkSales.OpenAsync);

        await MeasureAsync("count by an index", 1, 1, async store => await store.CountAsync(Sale.RegionOf(3)) == inRegion);
        await MeasureAsync("skip half on an index", 1, 1, async store => await store.PageByTimeAsync(sales / 2, PageSize) is [{ Id: var id }, ..] && id == FirstId + (sales / 2));
        await MeasureAsync("sum over an index", 1, 0.7, async store => await store.SumOfAmountsAsync() > 0);
        await MeasureAsync("group by over an index", 1, 0.7, async store => (await store.CountByRegionAsync())[Sale.RegionOf(3)] == inRegion);
        await MeasureAsync("sum over no index", 1, 0.3, async store => await store.SumOfQuantitiesAsync() > 0);
        await MeasureAsync("group by over no index", 1, 0.3, async store => (await store.QuantityByClerkAsync()).Count == Sale.Clerks);
        await MeasureAsync($"top {PageSize} over no index", 1, 0.5, async store => (await store.TopByQuantityAsync(PageSize)).Count == PageSize);
        await MeasureAsync($"update of {inRegion}", inRegion, 0.5, async store => await store.UpdateAsync(Sale.RegionOf(3), $"update {++updates}") == inRegion);

        Shared<ISales> Shared(Func<Task<ISales>> open) => new(async () =>
        {
            var store = await open();
            await store.AddAsync(FirstId, sales);
            return store;
        });

        Task MeasureAsync(string name, int items, double factor, Func<ISales, Task<bool>> operate) => runner.MeasureAsync(new Cell(
            "scale", $"{name} of {sales}", Of(OnSqlite, onSqlite, operate), Of(OnLmdb, onLmdb, operate), Of(EntityFrameworkSales.System, entityFramework, operate))
        {
            ItemsPerOperation = items,
            Targets = [Target.Times(EntityFrameworkSales.System, factor), Target.Times(OnLmdb, EntityFrameworkSales.System, factor)],
        });

        Subject Of(string system, Shared<ISales> shared, Func<ISales, Task<bool>> operate) => new(system, async () =>
        {
            var store = await shared.GetAsync();
            return new Session(async (_, _) =>
            {
                if (!await operate(store))
                    throw new InvalidDataException($"{system} returned a wrong result.");
            });
        });
    }
}
