using Datacake.Storage;
using Microsoft.Data.Sqlite;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Datacake.Benchmarks.Orm;

/// <summary>
/// The shop on Entity Framework Core with SQLite, tuned for speed: pooled contexts, compiled queries, a write-ahead log, and no change
/// detection where it is not needed.
/// </summary>
sealed class EntityFrameworkShop : IShop
{
    public const string System = "EF Core, SQLite";

    static readonly Func<EntityFrameworkContext, long, Task<Product?>> FindQuery =
        EF.CompileAsyncQuery((EntityFrameworkContext db, long id) => db.Products.FirstOrDefault(product => product.Id == id));

    static readonly Func<EntityFrameworkContext, string, IAsyncEnumerable<Product>> CategoryQuery =
        EF.CompileAsyncQuery((EntityFrameworkContext db, string category) => db.Products.AsNoTracking().Where(product => product.Category == category));

    static readonly Func<EntityFrameworkContext, long, int, IAsyncEnumerable<Product>> PageQuery = EF.CompileAsyncQuery(
        (EntityFrameworkContext db, long fromId, int count) =>
            db.Products.AsNoTracking().Where(product => product.Id >= fromId).OrderBy(product => product.Id).Take(count));

    static readonly Func<EntityFrameworkContext, IAsyncEnumerable<Product>> AllQuery =
        EF.CompileAsyncQuery((EntityFrameworkContext db) => db.Products.AsNoTracking());

    readonly DirectoryInfo? _directory;         // null if a server has the files
    readonly PooledDbContextFactory<EntityFrameworkContext> _contexts;

    EntityFrameworkShop(DirectoryInfo? directory, PooledDbContextFactory<EntityFrameworkContext> contexts)
    {
        _directory = directory;
        _contexts = contexts;
    }

    public static async Task<IShop> OpenAsync(Durability durability)
    {
        var directory = Directory.CreateTempSubdirectory("datacake-benchmark-");
        string connection = new SqliteConnectionStringBuilder { DataSource = Path.Combine(directory.FullName, "shop.db"), DefaultTimeout = 60 }.ToString();
        var options = new DbContextOptionsBuilder<EntityFrameworkContext>()
            .UseSqlite(connection)
            .AddInterceptors(new SynchronousPragma(durability))
            .EnableThreadSafetyChecks(false)
            .Options;
        var shop = new EntityFrameworkShop(directory, new PooledDbContextFactory<EntityFrameworkContext>(options));
        await using var db = shop.Open();
        await db.Database.EnsureCreatedAsync();
        await db.Database.ExecuteSqlRawAsync("PRAGMA journal_mode = WAL");
        return shop;
    }

    /// <summary>Opens the shop in a database of a PostgreSQL server, which is created.</summary>
    public static async Task<IShop> OpenAsync(string connectionString)
    {
        var options = new DbContextOptionsBuilder<EntityFrameworkContext>().UseNpgsql(connectionString).EnableThreadSafetyChecks(false).Options;
        var shop = new EntityFrameworkShop(null, new PooledDbContextFactory<EntityFrameworkContext>(options));
        await using var db = shop.Open();
        await db.Database.EnsureCreatedAsync();
        return shop;
    }

    public async Task AddRangeAsync(long firstId, int count)
    {
        await using var db = Open();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        db.Products.AddRange(Enumerable.Range(0, count).Select(i => Product.Of(firstId + i)));
        await db.SaveChangesAsync();
    }

    public async Task AddAsync(long id)
    {
        await using var db = Open();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        db.Products.Add(Product.Of(id));
        await db.SaveChangesAsync();
    }

    public async Task UpdateStockAsync(long id, int stock)
    {
        await using var db = Open();
        var product = await FindQuery(db, id);
        product!.Stock = stock;
        await db.SaveChangesAsync();
    }

    public async Task<Product?> FindAsync(long id)
    {
        await using var db = Open();
        return await FindQuery(db, id);
    }

    public async Task<List<Product>> InCategoryAsync(string category)
    {
        await using var db = Open();
        return await CategoryQuery(db, category).ToListAsync();
    }

    public async Task<List<Product>> PageAsync(long fromId, int count)
    {
        await using var db = Open();
        return await PageQuery(db, fromId, count).ToListAsync();
    }

    public async Task<List<Product>> AllAsync()
    {
        await using var db = Open();
        return await AllQuery(db).ToListAsync();
    }

    public ValueTask DisposeAsync()
    {
        SqliteConnection.ClearAllPools();
        _directory?.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }

    EntityFrameworkContext Open() => _contexts.CreateDbContext();

    /// <summary>Sets the durability of commits, which is a setting of each SQLite connection.</summary>
    sealed class SynchronousPragma(Durability durability) : DbConnectionInterceptor
    {
        readonly string _pragma = durability == Durability.Flushed ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";

        public override void ConnectionOpened(global::System.Data.Common.DbConnection connection, ConnectionEndEventData eventData)
        {
            using var command = connection.CreateCommand();
            command.CommandText = _pragma;
            command.ExecuteNonQuery();
        }

        public override Task ConnectionOpenedAsync(
            global::System.Data.Common.DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken = default)
        {
            ConnectionOpened(connection, eventData);
            return Task.CompletedTask;
        }
    }
}

sealed class EntityFrameworkContext(DbContextOptions<EntityFrameworkContext> options) : DbContext(options)
{
    public DbSet<Product> Products => Set<Product>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.Entity<Product>(product =>
    {
        product.Property(entity => entity.Id).ValueGeneratedNever();
        product.HasIndex(entity => entity.Category);
    });
}
