using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Replication;
using Datacake.Data;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Benchmarks.Scale;

/// <summary>The sales on a single Datacake node.</summary>
sealed class DatacakeSales : ISales
{
    const int PerSave = 10_000;

    readonly StoreKind _stores;
    readonly DatacakeCluster _cluster;

    DatacakeSales(StoreKind stores, DatacakeCluster cluster)
    {
        _stores = stores;
        _cluster = cluster;
    }

    public static async Task<ISales> OpenAsync(string engine)
    {
        var stores = new StoreKind(engine);
        return new DatacakeSales(stores, await DatacakeCluster.StartAsync(stores.Open(1), Durability.Buffered));
    }

    public async Task AddAsync(long firstId, int count, string? region = null)
    {
        for (int start = 0; start < count; start += PerSave)
        {
            await using var db = Open();
            for (int i = start; i < Math.Min(count, start + PerSave); i++)
                db.Sales.Add(Sale.Of(firstId + i, region));
            await db.SaveChangesAsync();
        }
    }

    public async Task<long> CountAsync(string region)
    {
        await using var db = Open();
        return await db.Sales.CountAsync(sale => sale.Region == region);
    }

    public async Task<List<Sale>> PageByTimeAsync(int skip, int take)
    {
        await using var db = Open();
        return await db.Sales.AsNoTracking().OrderBy(sale => sale.At).Skip(skip).Take(take).ToListAsync();
    }

    public async Task<long> SumOfAmountsAsync()
    {
        await using var db = Open();
        return await db.Sales.SumAsync(sale => (long)sale.Amount);
    }

    public async Task<Dictionary<string, int>> CountByRegionAsync()
    {
        await using var db = Open();
        return (await db.Sales.GroupBy(sale => sale.Region).Select(group => new { group.Key, Count = group.Count() }).ToListAsync())
            .ToDictionary(group => group.Key, group => group.Count);
    }

    public async Task<long> SumOfQuantitiesAsync()
    {
        await using var db = Open();
        return await db.Sales.SumAsync(sale => (long)sale.Quantity);
    }

    public async Task<Dictionary<string, long>> QuantityByClerkAsync()
    {
        await using var db = Open();
        return (await db.Sales.GroupBy(sale => sale.Clerk).Select(group => new { group.Key, Sum = group.Sum(sale => (long)sale.Quantity) }).ToListAsync())
            .ToDictionary(group => group.Key, group => group.Sum);
    }

    public async Task<List<Sale>> TopByQuantityAsync(int take)
    {
        await using var db = Open();
        return await db.Sales.AsNoTracking().OrderByDescending(sale => sale.Quantity).Take(take).ToListAsync();
    }

    public async Task<long> UpdateAsync(string region, string note)
    {
        await using var db = Open();
        return (await db.Sales.Where(sale => sale.Region == region).ExecuteUpdateAsync(set => set.SetProperty(sale => sale.Note, note))).Count;
    }

    public async Task<long> DeleteAsync(string region)
    {
        await using var db = Open();
        return (await db.Sales.Where(sale => sale.Region == region).ExecuteDeleteAsync()).Count;
    }

    public async ValueTask DisposeAsync()
    {
        await _cluster.DisposeAsync();
        _stores.Dispose();
    }

    SalesContext Open() => new(_cluster.Nodes[0]);
}

sealed partial class SalesContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Sale> Sales { get; }
}
