using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Saving;

public class SaveEventTests(StoreFixture store)
{
    static long _lastId = 1_000_000;

    [Fact]
    public async Task SavingChanges_handlers_can_change_and_add_entities()
    {
        await using var db = store.NewContext();
        var product = new Product { Id = Interlocked.Increment(ref _lastId), Name = "x" };
        var added = new Product { Id = Interlocked.Increment(ref _lastId), Name = "y" };
        db.SavingChanges += (sender, e) =>
        {
            Assert.Same(db, sender);
            Assert.Equal(Consistency.All, e.Consistency);
            foreach (var entry in db.ChangeTracker.Entries<Product>())
                entry.Entity.Name += " stamped";
            db.Products.Add(added);
        };
        db.SaveChangesFailed += (_, _) => Assert.Fail("The save did not fail.");
        db.Products.Add(product);
        Assert.Equal(2, await db.SaveChangesAsync(Consistency.All, Token));
        await using var other = store.NewContext();
        Assert.Equal("x stamped", (await other.Products.FindAsync([product.Id], Token))!.Name);
        Assert.Equal("y", (await other.Products.FindAsync([added.Id], Token))!.Name);
    }

    [Fact]
    public async Task SavedChanges_handlers_see_the_result_and_no_pending_changes()
    {
        await using var db = store.NewContext();
        var product = new Product { Id = Interlocked.Increment(ref _lastId), Name = "x" };
        SaveResult? seen = null;
        db.SavingChanges += (_, _) => product.Name += " stamped";
        db.SavedChanges += (_, e) =>
        {
            seen = e.Result;
            Assert.False(db.ChangeTracker.HasChanges());
        };
        db.Products.Add(product);
        Assert.Same(await db.SaveChangesAsync(Token), seen);
        await using var other = store.NewContext();
        Assert.Equal("x stamped", (await other.Products.FindAsync([product.Id], Token))!.Name);
    }

    [Fact]
    public async Task Failed_save_raises_SaveChangesFailed_and_leaves_the_entities_unchanged()
    {
        await using var db = store.NewContext();
        var added = new Product { Id = Interlocked.Increment(ref _lastId), Name = "x", Stock = 5 };
        db.Products.Add(added);
        await db.SaveChangesAsync(Token);
        var removed = new Product { Id = Interlocked.Increment(ref _lastId), Name = "x" };
        db.Products.Add(removed);
        await db.SaveChangesAsync(Token);

        added.Stock = 7;
        db.Products.Remove(removed);
        var invalid = new Product { Id = Interlocked.Increment(ref _lastId), Name = null! };
        db.Products.Add(invalid);
        var failures = new List<Exception>();
        db.SaveChangesFailed += (_, e) => failures.Add(e.Exception);
        db.SavedChanges += (_, _) => Assert.Fail("The save failed.");
        var states = db.ChangeTracker.Entries().Select(entry => (entry.Entity, entry.State)).ToList();
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Same(exception, Assert.Single(failures));
        Assert.Equal(states, db.ChangeTracker.Entries().Select(entry => (entry.Entity, entry.State)));
        Assert.Equal(5L, db.Entry(added).Property(p => p.Stock).OriginalValue);
    }

    [Fact]
    public async Task Exception_in_a_SavingChanges_handler_fails_the_save_before_anything_is_written()
    {
        await using var db = store.NewContext();
        var product = new Product { Id = Interlocked.Increment(ref _lastId), Name = "x" };
        db.Products.Add(product);
        db.SavingChanges += (_, _) => throw new NotSupportedException("not now");
        await Assert.ThrowsAsync<NotSupportedException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(EntityState.Added, db.Entry(product).State);
        await using var other = store.NewContext();
        Assert.Null(await other.Products.FindAsync([product.Id], Token));
    }

    [Fact]
    public async Task Save_within_a_SavingChanges_handler_is_refused()
    {
        await using var db = store.NewContext();
        db.Products.Add(new Product { Id = Interlocked.Increment(ref _lastId), Name = "x" });
        Task<SaveResult>? inner = null;
        db.SavingChanges += (_, _) => inner ??= db.SaveChangesAsync(Token);
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => inner!);
        Assert.Contains("called by a handler of SavingChanges", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entity_that_cannot_be_attached_stays_detached()
    {
        await using var db = store.NewContext();
        var product = new Product { Id = Interlocked.Increment(ref _lastId), Tags = [null!] };
        Assert.Throws<EntityValidationException>(() => db.Products.Attach(product));
        Assert.Equal(EntityState.Detached, db.Entry(product).State);
        Assert.Empty(db.ChangeTracker.Entries());
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
