using Datacake.Data.Tests.Shop;
using Datacake.Node;

namespace Datacake.Data.Tests.ChangeTracking;

/// <summary>Tests of the unit-of-work methods of a context: Add, Attach, Remove, Local, property values.</summary>
public class UnitOfWorkTests(StoreFixture store)
{
    static long _lastId = 4_000_000;

    [Fact]
    public async Task Context_adds_updates_attaches_and_removes_entities_of_all_its_classes()
    {
        var (added, updated, attached, removed) = (NewProduct("added"), NewProduct("old"), NewProduct("old"), NewProduct("removed"));
        await using (var db = store.NewContext())
        {
            Assert.Equal(EntityState.Added, (await db.AddAsync(added, Token)).State);
            db.AddRange(updated, attached, removed);
            await db.SaveChangesAsync(Token);
        }
        await using (var db = store.NewContext())
        {
            Assert.Same(removed, db.Remove(removed).Entity);
            Assert.Equal(EntityState.Modified, db.Update(new Product { Id = updated.Id, Name = "new" }).State);
            db.Attach(attached);
            attached.Name = "new";
            Assert.Equal(3, await db.SaveChangesAsync(Token));
        }
        await using var other = store.NewContext();
        Assert.Equal("added", (await other.FindAsync<Product>([added.Id], Token))!.Name);
        Assert.Equal("new", (await other.FindAsync<Product>([updated.Id], Token))!.Name);
        Assert.Equal("new", (await other.FindAsync<Product>([attached.Id], Token))!.Name);
        Assert.Null(await other.FindAsync<Product>([removed.Id], Token));
    }

    [Fact]
    public async Task Entities_without_a_keyspace_are_refused_and_named()
    {
        await using var db = store.NewContext();
        var e = Assert.Throws<InvalidOperationException>(() => db.Add(new Version(1, 0)));
        Assert.Contains("Version", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Local_contains_tracked_entities_that_are_not_removed()
    {
        await using var db = store.NewContext();
        var (a, b, c) = (NewProduct("a"), NewProduct("b"), NewProduct("c"));
        db.AddRange(a, b);
        db.Attach(c);
        db.Remove(c);
        Assert.Equal([a, b], db.Products.Local.OrderBy(product => product.Id));
        Assert.Equal(2, db.Products.Local.Count);
        Assert.Same(a, db.Products.Local.Find(a.Id));
        Assert.Null(db.Products.Local.Find(c.Id));
        Assert.Null(db.Products.Local.Find(NewProduct("").Id));
    }

    [Fact]
    public async Task SetValues_copies_properties_of_an_object_by_name()
    {
        await using var db = store.NewContext();
        var product = NewProduct("a");
        product.Warehouse = new Address { City = "Oslo" };
        db.Add(product);
        await db.SaveChangesAsync(Token);
        var values = db.Entry(product).CurrentValues;
        values.SetValues(new { product.Id, Name = "b", Price = 5m, Unknown = 1 });
        Assert.Equal(("b", 5m, "Oslo"), (product.Name, product.Price, product.Warehouse.City));
        values.SetValues(new Dictionary<string, object?> { ["Warehouse.City"] = "Bergen", ["Name"] = "c" });
        Assert.Equal(("c", "Bergen"), (values.GetValue<string>("Name"), values["Warehouse.City"]));
        Assert.Equal("a", db.Entry(product).OriginalValues["Name"]);
        Assert.Equal(1, await db.SaveChangesAsync(Token));

        var e = Assert.Throws<ArgumentException>(() => values.SetValues(new { Id = product.Id + 1 }));
        Assert.Contains("key", e.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => values.SetValues(new { Price = "free" }));
        Assert.Throws<ArgumentException>(() => values["Nothing"] = 1);
    }

    [Fact]
    public async Task SetValues_copies_all_properties_of_another_entity_except_the_key()
    {
        await using var db = store.NewContext();
        var product = NewProduct("a");
        db.Add(product);
        db.Entry(product).CurrentValues.SetValues(new Product { Id = 1, Name = "b", Stock = 7, Tags = ["x"], Warehouse = new Address { City = "Oslo" } });
        Assert.NotEqual(1, product.Id);
        Assert.Equal(("b", 7, "Oslo"), (product.Name, product.Stock, product.Warehouse!.City));
        Assert.Equal(["x"], product.Tags);
    }

    [Fact]
    public async Task Stored_values_of_an_entity_can_be_read_and_copied_to_it()
    {
        var product = NewProduct("a");
        await using var db = store.NewContext();
        Assert.Null(await db.Entry(product).GetDatabaseValuesAsync(Token));
        db.Add(product);
        await db.SaveChangesAsync(Token);
        await using (var other = store.NewContext())
        {
            (await other.FindAsync<Product>([product.Id], Token))!.Name = "b";
            await other.SaveChangesAsync(Token);
        }
        product.Name = "c";
        var stored = await db.Entry(product).GetDatabaseValuesAsync(Token);
        Assert.Equal("b", stored!["Name"]);
        Assert.Equal("c", product.Name);
        Assert.Throws<InvalidOperationException>(() => stored["Name"] = "d");
        db.Entry(product).CurrentValues.SetValues(stored);
        Assert.Equal("b", product.Name);
    }

    [Fact]
    public async Task AsTracking_overrides_a_context_that_does_not_track_by_default()
    {
        var product = NewProduct("a");
        await using var db = store.NewContext();
        db.Add(product);
        await db.SaveChangesAsync(Token);
        db.ChangeTracker.Clear();
        await db.Products.Where(p => p.Id == product.Id).ToListAsync(Token);
        Assert.Single(db.ChangeTracker.Entries());
        db.ChangeTracker.Clear();
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        await db.Products.Where(p => p.Id == product.Id).ToListAsync(Token);
        Assert.Empty(db.ChangeTracker.Entries());
        await db.Products.Where(p => p.Id == product.Id).Select(p => p.Name).AsTracking().ToListAsync(Token);
        Assert.Empty(db.ChangeTracker.Entries());
        await db.Products.Where(p => p.Id == product.Id).AsTracking().ToListAsync(Token);
        Assert.Single(db.ChangeTracker.Entries());
    }

    [Fact]
    public async Task Plan_shows_tags()
    {
        await using var db = store.NewContext();
        Assert.EndsWith("; tagged 'report'; tagged 'daily'", db.Products.Where(p => p.Id == 1).TagWith("report").TagWith("daily").Explain(), StringComparison.Ordinal);
    }

    static Product NewProduct(string name) => new() { Id = Interlocked.Increment(ref _lastId), Name = name };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
