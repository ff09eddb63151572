using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Interception;

public class InterceptorTests(StoreFixture store)
{
    static long _lastId = 3_000_000;

    [Fact]
    public async Task Changes_that_an_asynchronous_interceptor_makes_are_saved()
    {
        await using var db = store.NewContext();
        var recorder = new Recorder { BeforeSave = product => product.Name += " stamped" };
        db.Interceptors.Add(recorder);
        var product = NewProduct();
        db.Products.Add(product);
        await db.SaveChangesAsync(Consistency.All, Token);
        Assert.Equal(["saving at All", "saved 1"], recorder.Events);
        await using var other = store.NewContext();
        Assert.Equal("x stamped", (await other.Products.FindAsync([product.Id], Token))!.Name);
    }

    [Fact]
    public async Task Interceptors_are_told_of_a_failed_save_before_its_caller()
    {
        await using var db = store.NewContext();
        var recorder = new Recorder();
        db.Interceptors.Add(recorder);
        db.Products.Add(new Product { Id = NewProduct().Id, Name = null! });
        await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(["saving at None", "failed EntityValidationException"], recorder.Events);
    }

    [Fact]
    public async Task Save_fails_and_writes_nothing_if_an_interceptor_throws()
    {
        await using var db = store.NewContext();
        db.Interceptors.Add(new Recorder { BeforeSave = _ => throw new UnauthorizedAccessException() });
        var product = NewProduct();
        db.Products.Add(product);
        await Assert.ThrowsAsync<UnauthorizedAccessException>(() => db.SaveChangesAsync(Token));
        await using var other = store.NewContext();
        Assert.Null(await other.Products.FindAsync([product.Id], Token));
    }

    [Fact]
    public async Task Save_within_an_interceptor_is_refused()
    {
        await using var db = store.NewContext();
        db.Interceptors.Add(new Recorder { BeforeSave = product => db.SaveChangesAsync(Token).GetAwaiter().GetResult() });
        db.Products.Add(NewProduct());
        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("interceptor", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interceptors_see_how_much_queries_read_and_return()
    {
        await using var db = store.NewContext();
        long first = NewProduct().Id, second = NewProduct().Id;
        db.Products.AddRange(new Product { Id = first, Name = "a" }, new Product { Id = second, Name = "b" });
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        var recorder = new Recorder();
        db.Interceptors.Add(recorder);

        await db.Products.Where(p => p.Id == first).TagWith("list").ToListAsync(Token);
        await db.Products.Where(p => p.Id == first).CountAsync(Token);
        await db.Products.FindAsync([second], Token);
        await db.Products.FindAsync([NewProduct().Id], Token);
        await foreach (var _ in db.Products.Where(p => p.Id >= first && p.Id <= second).Select(p => p.Name).WithCancellation(Token))
        {
        }
        await db.Products.Where(p => p.Id == first).ExecuteUpdateAsync(s => s.SetProperty(p => p.Name, "c"), Token);

        Assert.Equal(
            ["executing list", "read 1 found 1", "executing ", "read 1 found 1", "executing ", "read 1 found 1", "executing ", "read 0 found 0", "executing ",
                "read 2 found 2", "executing ", "read 1 found 1"],
            recorder.Events);
    }

    [Fact]
    public async Task Interceptors_see_the_exception_of_a_failed_query()
    {
        await using var db = store.NewContext();
        db.Products.Add(NewProduct());
        await db.SaveChangesAsync(Token);
        var recorder = new Recorder();
        db.Interceptors.Add(recorder);
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Products.Where(p => p.Warehouse!.City == "x").ToListAsync(Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Products.Where(p => p.Warehouse!.City == "x").ToArrayAsync(Token));
        Assert.All(recorder.Events.Where(known => known.StartsWith("read", StringComparison.Ordinal)), known => Assert.EndsWith("InvalidOperationException", known, StringComparison.Ordinal));
        Assert.Equal(4, recorder.Events.Count);
    }

    [Fact]
    public async Task All_saves_call_the_overridden_SaveChangesAsync()
    {
        await using var db = new CountingContext(store.Node);
        var product = NewProduct();
        db.Products.Add(product);
        await db.SaveChangesAsync(Token);
        await db.SaveChangesAsync(Consistency.None, Token);
        Assert.Equal([Consistency.Quorum, Consistency.None], db.Saves);
    }

    static Product NewProduct() => new() { Id = Interlocked.Increment(ref _lastId), Name = "x" };

    static CancellationToken Token => TestContext.Current.CancellationToken;

    sealed class Recorder : DatacakeInterceptor
    {
        public List<string> Events { get; } = [];

        public Action<Product> BeforeSave { get; init; } = _ => { };

        public override async ValueTask SavingChangesAsync(DatacakeContext context, SavingChangesEventArgs save, CancellationToken cancellationToken)
        {
            await Task.Yield();
            foreach (var entry in context.ChangeTracker.Entries<Product>())
                BeforeSave(entry.Entity);
            Events.Add($"saving at {save.Consistency}");
        }

        public override async ValueTask SavedChangesAsync(DatacakeContext context, SavedChangesEventArgs save, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Assert.False(context.ChangeTracker.HasChanges());
            Events.Add($"saved {save.Result.Count}");
        }

        public override async ValueTask SaveChangesFailedAsync(DatacakeContext context, SaveChangesFailedEventArgs failure)
        {
            await Task.Yield();
            Events.Add($"failed {failure.Exception.GetType().Name}");
        }

        public override async ValueTask QueryExecutingAsync(DatacakeContext context, QueryExecutingEventArgs query, CancellationToken cancellationToken)
        {
            await Task.Yield();
            Assert.StartsWith("Products", query.Explain(), StringComparison.Ordinal);
            Events.Add($"executing {string.Join(", ", query.Tags)}");
        }

        public override ValueTask QueryExecutedAsync(DatacakeContext context, QueryExecutedEventArgs query)
        {
            Assert.True(query.Elapsed > TimeSpan.Zero);
            Events.Add(query.Exception is null ? $"read {query.DocumentsRead} found {query.Results}" : $"read and failed: {query.Exception.GetType().Name}");
            return default;
        }
    }
}

sealed partial class CountingContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }

    public List<Consistency> Saves { get; } = [];

    public override Task<SaveResult> SaveChangesAsync(Consistency consistency, CancellationToken cancellationToken = default)
    {
        Saves.Add(consistency);
        return base.SaveChangesAsync(consistency, cancellationToken);
    }
}
