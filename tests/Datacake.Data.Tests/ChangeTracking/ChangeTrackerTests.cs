using System.ComponentModel.DataAnnotations.Schema;
using Datacake.Data.Tests.Shop;
using Datacake.Node;

namespace Datacake.Data.Tests.ChangeTracking;

public class ChangeTrackerTests(StoreFixture store)
{
    [Fact]
    public async Task Entity_states_follow_tracker_operations()
    {
        await using var db = store.NewContext();
        var product = new Product { Id = -1 };
        Assert.Equal(EntityState.Detached, db.Entry(product).State);
        Assert.Equal(EntityState.Added, db.Products.Add(product).State);
        Assert.Equal(EntityState.Added, db.Products.Update(product).State);
        Assert.Equal(EntityState.Detached, db.Products.Remove(product).State);
        Assert.Equal(EntityState.Unchanged, db.Products.Attach(product).State);
        product.Name = "new";
        db.ChangeTracker.DetectChanges();
        Assert.Equal(EntityState.Modified, db.Entry(product).State);
        product.Name = "";
        db.ChangeTracker.DetectChanges();
        Assert.Equal(EntityState.Unchanged, db.Entry(product).State);
        Assert.False(db.ChangeTracker.HasChanges());
        Assert.Equal(EntityState.Modified, db.Products.Update(product).State);
        Assert.True(db.ChangeTracker.HasChanges());
        Assert.Equal(EntityState.Deleted, db.Products.Remove(product).State);
        db.ChangeTracker.AcceptAllChanges();
        Assert.Equal(EntityState.Detached, db.Entry(product).State);
        Assert.Empty(db.ChangeTracker.Entries());
    }

    [Fact]
    public async Task Original_values_current_values_and_modified_properties_are_tracked()
    {
        await using var db = store.NewContext();
        var product = new Product { Id = -1, Name = "old", Stock = 3, Warehouse = new Address { City = "Bonn" } };
        var entry = db.Products.Attach(product);
        product.Name = "new";
        product.Stock = 5;
        product.Tags.Add("x");
        product.Warehouse.City = "Köln";
        Assert.Equal(("old", "new", true), Values("Name"));
        Assert.Equal((3L, 5L, true), Values("Stock"));
        Assert.Equal(("Bonn", "Köln", true), Values("Warehouse.City"));
        Assert.Equal((0m, 0m, false), Values("Price"));
        Assert.Equal(
            ["Name", "Stock", "Tags", "Warehouse", "Warehouse.City"],
            entry.Properties.Where(property => property.IsModified).Select(property => property.Metadata.Name));
        Assert.Equal("Köln", entry.Property(p => p.Warehouse!.City).CurrentValue);
        entry.Property(p => p.Price).CurrentValue = 7m;
        Assert.Equal(7m, product.Price);
        Assert.Throws<ArgumentException>(() => entry.Property("Nothing"));
        Assert.Throws<ArgumentException>(() => entry.Property(p => p.Name.Length + 1));

        (object?, object?, bool) Values(string name) =>
            (entry.Property(name).OriginalValue, entry.Property(name).CurrentValue, entry.Property(name).IsModified);
    }

    [Fact]
    public async Task Two_instances_with_the_same_key_are_refused()
    {
        await using var db = store.NewContext();
        db.Products.Add(new Product { Id = -1 });
        Assert.Contains(
            "Product -1",
            Assert.Throws<InvalidOperationException>(() => db.Products.Attach(new Product { Id = -1 })).Message,
            StringComparison.Ordinal);

        var other = new Product { Id = -2 };
        db.Products.Add(other);
        other.Id = -1;
        Assert.Throws<InvalidOperationException>(db.ChangeTracker.DetectChanges);
    }

    [Fact]
    public async Task Key_of_an_added_entity_can_change_but_key_of_a_stored_entity_cannot()
    {
        await using var db = store.NewContext();
        var added = new Product { Id = -1 };
        db.Products.Add(added);
        added.Id = -2;
        db.ChangeTracker.DetectChanges();
        Assert.Same(added, await db.Products.FindAsync([-2L], Token));
        Assert.Null(await db.Products.FindAsync([-1L], Token));

        var stored = new Product { Id = -3 };
        db.Products.Attach(stored);
        stored.Id = -4;
        Assert.Contains(
            "cannot change", Assert.Throws<InvalidOperationException>(db.ChangeTracker.DetectChanges).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_key_is_named()
    {
        await using var db = store.NewContext();
        Assert.Contains(
            "Order",
            Assert.Throws<InvalidOperationException>(() => db.OrderLines.Add(new OrderLine { Order = null! })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Key_that_is_too_long_is_refused_and_named()
    {
        await using var db = store.NewContext();
        var line = new OrderLine { Order = new string('x', 300) };
        Assert.Contains(
            "The key of the OrderLine (Order, Line) has ", Assert.Throws<ArgumentException>(() => db.OrderLines.Add(line)).Message, StringComparison.Ordinal);
        Assert.Equal(EntityState.Detached, db.Entry(line).State);
    }

    [Fact]
    public async Task Cancellation_token_among_key_values_is_refused_with_a_hint()
    {
        await using var db = store.NewContext();
        var exception = await Assert.ThrowsAsync<ArgumentException>(async () => await db.Products.FindAsync([1L, Token], Token));
        Assert.Contains("FindAsync([key], cancellationToken)", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entries_of_a_type_returns_the_entities_of_its_keyspace()
    {
        await using var db = store.NewContext();
        var product = new Product { Id = -1 };
        db.Products.Add(product);
        db.Articles.Add(new Article("a", "b"));
        Assert.Same(product, Assert.Single(db.ChangeTracker.Entries<Product>()).Entity);
        var exception = Assert.Throws<InvalidOperationException>(db.ChangeTracker.Entries<IFormattable>);
        Assert.Contains("entry.Entity is IFormattable", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clear_detaches_all_entities()
    {
        await using var db = store.NewContext();
        var product = new Product { Id = -1 };
        db.Products.Add(product);
        db.ChangeTracker.Clear();
        Assert.Equal(EntityState.Detached, db.Entry(product).State);
        Assert.False(db.ChangeTracker.HasChanges());
    }

    [Fact]
    public async Task Entity_of_a_class_without_a_keyspace_is_refused_and_named()
    {
        await using var db = store.NewContext();
        Assert.Contains("String", Assert.Throws<InvalidOperationException>(() => db.Entry("x")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_found_only_by_DetectChanges_if_automatic_detection_is_off()
    {
        await using var db = store.NewContext();
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        var product = new Product { Id = -1 };
        db.Products.Attach(product);
        product.Name = "new";
        Assert.False(db.ChangeTracker.HasChanges());
        db.ChangeTracker.DetectChanges();
        Assert.True(db.ChangeTracker.HasChanges());
    }

    [Fact]
    public async Task Add_is_refused_while_another_thread_is_adding()
    {
        await using var db = new HookedContext(store.Node);
        Exception? refusal = null;
        db.Hooked.Add(new Hooked
        {
            Id = 1,
            IdRead = () => refusal ??= AddOnAnotherThread(),
        });
        Assert.Contains("second operation", Assert.IsType<InvalidOperationException>(refusal).Message, StringComparison.Ordinal);
        Assert.Single(db.ChangeTracker.Entries());

        Exception? AddOnAnotherThread()
        {
            Exception? caught = null;
            var thread = new Thread(() => caught = Record.Exception(() => db.Hooked.Add(new Hooked { Id = 2 })));
            thread.Start();
            thread.Join();
            return caught;
        }
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;
}

/// <summary>An entity that invokes a callback when its key is read.</summary>
public sealed class Hooked
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)]
    public int Id
    {
        get
        {
            IdRead?.Invoke();
            return field;
        }
        set;
    }

    [Ignore] public Action? IdRead { get; set; }
}

public sealed partial class HookedContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Hooked> Hooked { get; }
}
