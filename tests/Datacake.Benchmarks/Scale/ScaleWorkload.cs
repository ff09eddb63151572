using Datacake.Benchmarks.Measuring;

namespace Datacake.Benchmarks.Scale;

/// <summary>The operations that SQL databases are fast at, on a large store with three indexes: counts, pages far from the start, aggregates, and changes of many entities at a time.</summary>
static class ScaleWorkload
{
    const long FirstId = 1;
    const int PageSize = 20;
    const int InsertsPerRun = 5, PerInsert = 10_000;
    const string ClosedRegion = "closed";

    const string OnSqlite = "Datacake, SQLite", OnLmdb = "Datacake, LMDB", NewOnSqlite = "Datacake, SQLite, new store", NewOnLmdb = "Datacake, LMDB, new store";

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
        long nextId = FirstId + sales;
        await MeasureOnceAsync(
            $"delete of {inRegion} of {sales}", inRegion, 1, store => AddNewAsync(store, inRegion, ClosedRegion),
            async store => await store.DeleteAsync(ClosedRegion) == inRegion,
            [Target.Times(EntityFrameworkSales.System, 0.5), Target.Times(OnLmdb, EntityFrameworkSales.System, 0.5)]);
        // The last cell, because it enlarges the stores.
        await MeasureOnceAsync(
            $"insert into {sales}", PerInsert, InsertsPerRun, static _ => Task.CompletedTask, async store =>
            {
                await AddNewAsync(store, PerInsert, region: null);
                return true;
            },
            [Target.Times(NewOnSqlite, 0.5), Target.Times(OnLmdb, NewOnLmdb, 0.5)], Anew(NewOnSqlite, StoreKind.Sqlite), Anew(NewOnLmdb, StoreKind.Lmdb));

        async Task AddNewAsync(ISales store, int count, string? region)
        {
            await store.AddAsync(nextId, count, region);
            nextId += count;
        }

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

        // Runs end after a number of operations, before each of which the store is prepared.
        Task MeasureOnceAsync(
            string name, int items, int operations, Func<ISales, Task> prepare, Func<ISales, Task<bool>> operate, IReadOnlyList<Target> targets, params Subject[] others) =>
            runner.MeasureAsync(new Cell(
                "scale", name, [Of(OnSqlite, onSqlite, operate, prepare), Of(OnLmdb, onLmdb, operate, prepare), Of(EntityFrameworkSales.System, entityFramework, operate, prepare), .. others])
            {
                ItemsPerOperation = items,
                MaxOperationsPerWorker = operations,
                Targets = targets,
            });

        // Each run fills a new store.
        Subject Anew(string system, string engine) => new(system, () =>
        {
            ISales? store = null;
            return Task.FromResult(new Session(async (_, number) => await store!.AddAsync(FirstId + (number * PerInsert), PerInsert))
            {
                Prepare = async () =>
                {
                    if (store is not null)
                        await store.DisposeAsync();
                    store = await DatacakeSales.OpenAsync(engine);
                },
                Close = () => store?.DisposeAsync() ?? default,
            });
        });

        Subject Of(string system, Shared<ISales> shared, Func<ISales, Task<bool>> operate, Func<ISales, Task>? prepare = null) => new(system, async () =>
        {
            var store = await shared.GetAsync();
            return new Session(async (_, _) =>
            {
                if (!await operate(store))
                    throw new InvalidDataException($"{system} returned a wrong result.");
            })
            {
                Prepare = async () => await (prepare?.Invoke(store) ?? Task.CompletedTask),
            };
        });
    }
}
