using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Datacake.Benchmarks.Scale;

/// <summary>The sales on Entity Framework Core with SQLite: pooled contexts, a write-ahead log, and no change detection where it is not needed.</summary>
sealed class EntityFrameworkSales : ISales
{
    public const string System = "EF Core, SQLite";

    const int PerSave = 10_000;

    readonly DirectoryInfo _directory;
    readonly PooledDbContextFactory<EntityFrameworkSalesContext> _contexts;

    EntityFrameworkSales(DirectoryInfo directory, PooledDbContextFactory<EntityFrameworkSalesContext> contexts)
    {
        _directory = directory;
        _contexts = contexts;
    }

    public static async Task<ISales> OpenAsync()
    {
        var directory = Directory.CreateTempSubdirectory("datacake-benchmark-");
        string connection = new SqliteConnectionStringBuilder { DataSource = Path.Combine(directory.FullName, "sales.db"), DefaultTimeout = 60 }.ToString();
        var options = new DbContextOptionsBuilder<EntityFrameworkSalesContext>().UseSqlite(connection).EnableThreadSafetyChecks(false).Options;
        var sales = new EntityFrameworkSales(directory, new PooledDbContextFactory<EntityFrameworkSalesContext>(options));
        await using var db = sales.Open();
        await db.Database.EnsureCreatedAsync();
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL");
        return sales;
    }

    public async Task AddAsync(long firstId, int count, string? region = null)
    {
        for (int start = 0; start < count; start += PerSave)
        {
            await using var db = Open();
            db.ChangeTracker.AutoDetectChangesEnabled = false;
            db.Sales.AddRange(Enumerable.Range(start, Math.Min(PerSave, count - start)).Select(i => Sale.Of(firstId + i, region)));
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
        return await db.Sales.GroupBy(sale => sale.Region).Select(group => new { group.Key, Count = group.Count() }).ToDictionaryAsync(group => group.Key, group => group.Count);
    }

    public async Task<long> SumOfQuantitiesAsync()
    {
        await using var db = Open();
        return await db.Sales.SumAsync(sale => (long)sale.Quantity);
    }

    public async Task<Dictionary<string, long>> QuantityByClerkAsync()
    {
        await using var db = Open();
        return await db.Sales.GroupBy(sale => sale.Clerk).Select(group => new { group.Key, Sum = group.Sum(sale => (long)sale.Quantity) })
            .ToDictionaryAsync(group => group.Key, group => group.Sum);
    }

    public async Task<List<Sale>> TopByQuantityAsync(int take)
    {
        await using var db = Open();
        return await db.Sales.AsNoTracking().OrderByDescending(sale => sale.Quantity).Take(take).ToListAsync();
    }

    public async Task<long> UpdateAsync(string region, string note)
    {
        await using var db = Open();
        return await db.Sales.Where(sale => sale.Region == region).ExecuteUpdateAsync(set => set.SetProperty(sale => sale.Note, note));
    }

    public async Task<long> DeleteAsync(string region)
    {
        await using var db = Open();
        return await db.Sales.Where(sale => sale.Region == region).ExecuteDeleteAsync();
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        _directory.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    EntityFrameworkSalesContext Open() => _contexts.CreateDbContext();
}

sealed class EntityFrameworkSalesContext(DbContextOptions<EntityFrameworkSalesContext> options) : DbContext(options)
{
    public DbSet<Sale> Sales => Set<Sale>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Sale>(sale =>
    {
        sale.Property(entity => entity.Id).ValueGeneratedNever();
        sale.HasIndex(entity => entity.Region);
        sale.HasIndex(entity => entity.Amount);
        sale.HasIndex(entity => entity.At);
    });
}
