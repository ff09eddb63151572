using Datacake.Data.Querying;
using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests;

public class SaveTests(StoreFixture store)
{
    static long _lastId;

    [Fact]
    public async Task A_saved_entity_is_found_by_its_key()
    {
        long id = NextId();
        await using (var db = store.NewContext())
        {
            db.Products.Add(
                new Product { Id = id, Name = "Cake", Category = "bakery", Price = 12.50m, Stock = 10, Tags = ["sweet"], Warehouse = new() { City = "Bonn" } });
            var result = await db.SaveChangesAsync(Consistency.None, Token);
            Assert.Equal(1, result.Count);
            Assert.Equal(1, (int)result);
            Assert.False(result.Stamp.IsNone);
            Assert.Contains(store.Node.Id, result.Acknowledged);
        }
        await using (var db = store.NewContext())
        {
            var cake = await db.Products.FindAsync([id], Token);
            Assert.NotNull(cake);
            Assert.Equal(("Cake", "bakery", 12.50m, 10L, "Bonn"), (cake.Name, cake.Category, cake.Price, cake.Stock, cake.Warehouse!.City));
            Assert.Equal(["sweet"], cake.Tags);
            Assert.Null(await db.Products.FindAsync([-id], Token));
        }
    }

    [Fact]
    public async Task Generic_code_finds_the_keyspace_of_a_class()
    {
        await using var db = store.NewContext();
        var product = await SavedIn(db, new Product { Id = NextId(), Name = "Cake" });
        Assert.Same(product, await db.Products.FindAsync([product.Id], Token));
        Assert.Contains("Keyspace<Address>", Assert.Throws<InvalidOperationException>(db.Set<Address>).Message, StringComparison.Ordinal);

        static async Task<T> SavedIn<T>(ShopContext db, T entity)
            where T : class
        {
            db.Set<T>().Add(entity);
            await db.SaveChangesAsync(Token);
            return entity;
        }
    }

    [Fact]
    public async Task Save_without_changes_writes_nothing()
    {
        await using var db = store.NewContext();
        var product = await Saved(db);
        var result = await db.SaveChangesAsync(Token);
        Assert.Equal(0, result.Count);
        Assert.True(result.Stamp.IsNone);
        Assert.Equal(EntityState.Unchanged, db.Entry(product).State);
    }

    [Fact]
    public async Task Only_changed_properties_are_written()
    {
        await using var mine = store.NewContext();
        await using var theirs = store.NewContext();
        var product = await Saved(mine);
        var same = (await theirs.Products.FindAsync([product.Id], Token))!;

        product.Name = "mine";
        product.Tags.Add("mine");
        product.Stock += 5;
        same.Price = 99;
        same.Tags.Add("theirs");
        same.Warehouse!.City = "theirs";
        same.Stock -= 2;
        await mine.SaveChangesAsync(Token);
        await theirs.SaveChangesAsync(Token);

        await using var db = store.NewContext();
        var merged = (await db.Products.FindAsync([product.Id], Token))!;
        Assert.Equal(("mine", 99m, "theirs", 13L), (merged.Name, merged.Price, merged.Warehouse!.City, merged.Stock));
        Assert.Equal(["mine", "theirs"], merged.Tags.Order());
    }

    [Fact]
    public async Task Counter_increments_of_several_saves_and_contexts_add_up()
    {
        await using var db = store.NewContext();
        var product = await Saved(db);
        product.Stock += 1;
        await db.SaveChangesAsync(Token);
        product.Stock += 2;
        await db.SaveChangesAsync(Token);
        await using var other = store.NewContext();
        (await other.Products.FindAsync([product.Id], Token))!.Stock -= 7;
        await other.SaveChangesAsync(Token);
        product.Stock += 3;
        await db.SaveChangesAsync(Token);
        await db.Entry(product).ReloadAsync(Token);
        Assert.Equal(10 + 1 + 2 - 7 + 3, product.Stock);
    }

    [Fact]
    public async Task A_removed_entity_is_gone()
    {
        await using var db = store.NewContext();
        var product = await Saved(db);
        db.Products.Remove(product);
        Assert.Null(await db.Products.FindAsync([product.Id], Token));
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal(EntityState.Detached, db.Entry(product).State);
        await using var other = store.NewContext();
        Assert.Null(await other.Products.FindAsync([product.Id], Token));
    }

    [Fact]
    public async Task Entity_can_be_added_in_place_of_a_removed_one()
    {
        await using var db = store.NewContext();
        var product = await Saved(db);
        var other = new Product { Id = product.Id, Name = "other" };
        db.Products.Remove(product);
        db.Products.Add(other);
        Assert.Same(other, await db.Products.FindAsync([product.Id], Token));
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        await using var third = store.NewContext();
        var stored = (await third.Products.FindAsync([product.Id], Token))!;
        Assert.Equal(("other", 0m, 0L, (Address?)null), (stored.Name, stored.Price, stored.Stock, stored.Warehouse));
    }

    [Fact]
    public async Task An_entity_that_was_never_read_can_be_removed()
    {
        await using var db = store.NewContext();
        var product = await Saved(db);
        await using var other = store.NewContext();
        other.Products.Remove(new Product { Id = product.Id });
        await other.SaveChangesAsync(Token);
        await using var third = store.NewContext();
        Assert.Null(await third.Products.FindAsync([product.Id], Token));
    }

    [Fact]
    public async Task Update_of_an_entity_that_was_not_read_writes_all_properties()
    {
        await using var db = store.NewContext();
        var product = await Saved(db);
        await using (var other = store.NewContext())
        {
            var entry = other.Products.Update(new Product { Id = product.Id, Name = "new", Stock = 3, Tags = ["new"] });
            Assert.Equal(EntityState.Modified, entry.State);
            Assert.Equal(1, await other.SaveChangesAsync(Token));
            Assert.Equal(EntityState.Unchanged, entry.State);
        }
        await db.Entry(product).ReloadAsync(Token);
        Assert.Equal(("new", "", 3L), (product.Name, product.Category, product.Stock));
        Assert.Equal(["new"], product.Tags);
        Assert.Null(product.Warehouse);
    }

    [Fact]
    public async Task Update_of_an_entity_that_no_longer_exists_fails_and_writes_nothing()
    {
        await using var db = store.NewContext();
        var product = await Saved(db);
        await using (var other = store.NewContext())
        {
            other.Products.Remove(new Product { Id = product.Id });
            await other.SaveChangesAsync(Token);
        }
        long added = NextId();
        db.Products.Add(new Product { Id = added });
        product.Name = "new";
        var exception = await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Token));
        Assert.Contains($"The Product {product.Id} is not in the store", exception.Message, StringComparison.Ordinal);
        Assert.IsType<DocumentNotFoundException>(exception.InnerException);
        Assert.Same(product, exception.Entry.Entity);
        Assert.Same(exception.Entry, Assert.Single(exception.Entries));
        Assert.Null(await exception.Entry.GetDatabaseValuesAsync(Token));
        Assert.Equal(EntityState.Modified, db.Entry(product).State);
        await using (var other = store.NewContext())
            Assert.Null(await other.Products.FindAsync([added], Token));

        db.Entry(product).State = EntityState.Detached;
        Assert.Equal(1, await db.SaveChangesAsync(Token));

        db.Products.Update(product);
        exception = await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Token));
        Assert.IsType<DocumentNotFoundException>(exception.InnerException);
    }

    [Fact]
    public async Task All_broken_rules_are_reported_at_once_and_nothing_is_written()
    {
        await using var db = store.NewContext();
        var line = new OrderLine { Order = $"o{NextId()}", Line = 1, Text = "much too long a text" };
        line.Number(1);
        line.Number(2);
        line.Number(3);
        db.OrderLines.AddRange(line, new OrderLine { Order = line.Order, Line = 2 });
        long id = NextId();
        db.Products.Add(new Product { Id = id, Name = null!, Warehouse = new() { City = null! } });
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Equal(["Name", "Numbers", "Text", "Text", "Warehouse.City"], exception.Errors.Select(error => error.Property).Order());
        Assert.Contains($"Name of the Product {id} is null", exception.Message, StringComparison.Ordinal);
        Assert.All(db.ChangeTracker.Entries(), entry => Assert.Equal(EntityState.Added, entry.State));
        await using var other = store.NewContext();
        Assert.Null(await other.Products.FindAsync([id], Token));
    }

    [Fact]
    public async Task Save_that_too_few_nodes_can_acknowledge_leaves_the_changes_pending()
    {
        await using var db = store.NewContext();
        var product = new Product { Id = NextId(), Name = "x" };
        db.Products.Add(product);
        await Assert.ThrowsAsync<NotEnoughNodesException>(() => db.SaveChangesAsync(Consistency.Three, Token));
        Assert.Equal(EntityState.Added, db.Entry(product).State);
        Assert.Equal(1, await db.SaveChangesAsync(Consistency.Quorum, Token));
        Assert.Equal(EntityState.Unchanged, db.Entry(product).State);
    }

    [Fact]
    public async Task An_empty_Guid_key_gets_a_value_and_others_are_kept()
    {
        await using var db = store.NewContext();
        var first = new Everything();
        var second = new Everything { Id = Guid.NewGuid() };
        var id = second.Id;
        db.Everything.AddRange(first, second);
        Assert.NotEqual(Guid.Empty, first.Id);
        Assert.Equal(7, first.Id.Version);
        Assert.Equal(id, second.Id);
        await db.SaveChangesAsync(Token);
        db.Everything.RemoveRange(first, second);
        await db.SaveChangesAsync(Token);
    }

    [Fact]
    public async Task Reload_restores_every_property_to_its_stored_value()
    {
        await using var db = store.NewContext();
        var entity = Gens.EverythingOf(11);
        entity.Id = Guid.NewGuid();
        entity.InPlace.Add(1);
        db.Everything.Add(entity);
        await db.SaveChangesAsync(Token);
        await using (var other = store.NewContext())
        {
            var stored = await other.Everything.FindAsync([entity.Id], Token);
            stored!.InPlace.Add(2);
            stored.Owned = new Owned { Text = "new" };
            stored.Counter += 5;
            await other.SaveChangesAsync(Token);
        }
        (entity.String, entity.Owned) = ("changed", null);
        await db.Entry(entity).ReloadAsync(Token);
        await using var third = store.NewContext();
        Assert.Equivalent(await third.Everything.FindAsync([entity.Id], Token), entity, strict: true);
        Assert.Equal([1, 2], entity.InPlace);
        Assert.Equal(EntityState.Unchanged, db.Entry(entity).State);
        Assert.Equal(0, await db.SaveChangesAsync(Token));
    }

    [Fact]
    public async Task Stored_properties_that_the_class_lacks_survive_an_update()
    {
        await using var db = store.NewContext();
        var product = await Saved(db);
        var replicated = await store.Node.OpenStoreAsync(Token);
        var newer = new Transaction();
        var cells = new Datacake.Crdt.DocumentContentBuilder();
        byte[] path = Datacake.Crdt.DocumentPath.OfProperty("Novelty").Encoded.ToArray();
        cells.Set(path, [1]);
        newer.Update("Products", product.Id, cells.Build());
        await replicated.CommitAsync(newer, Consistency.None, Token);

        await using (var other = store.NewContext())
        {
            (await other.Products.FindAsync([product.Id], Token))!.Name = "new";
            await other.SaveChangesAsync(Token);
            other.ChangeTracker.Clear();
            other.Products.Update(new Product { Id = product.Id });
            await other.SaveChangesAsync(Token);
        }
        using var snapshot = await replicated.OpenSnapshotAsync(Token);
        var document = await snapshot.GetAsync("Products", product.Id, Token);
        Assert.True(document!.TryGetCell(path, out var novelty));
        Assert.Equal([1], novelty.Value.ToArray());
    }

    [Fact]
    public async Task Second_concurrent_operation_is_refused()
    {
        await using var db = store.NewContext();
        var busy = db.Concurrency.Enter();
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => db.SaveChangesAsync(Token));
        Assert.Contains("second operation", exception.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await db.Products.FindAsync([1L], Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Products.ToListAsync(Token));
        Assert.Throws<InvalidOperationException>(() => db.Products.Add(new Product { Id = NextId() }));
        busy.Dispose();
        await db.SaveChangesAsync(Token);
    }

    [Fact]
    public async Task Disposed_context_throws_ObjectDisposedException()
    {
        var db = store.NewContext();
        await db.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => db.SaveChangesAsync(Token));
    }

    static CancellationToken Token => TestContext.Current.CancellationToken;

    static long NextId() => Interlocked.Increment(ref _lastId);

    static async Task<Product> Saved(ShopContext db)
    {
        var product = new Product { Id = NextId(), Name = "Cake", Category = "bakery", Price = 5, Stock = 10, Warehouse = new Address { City = "Bonn" } };
        db.Products.Add(product);
        await db.SaveChangesAsync(Token);
        return product;
    }
}
