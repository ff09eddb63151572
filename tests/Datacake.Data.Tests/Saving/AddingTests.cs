using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Saving;

/// <summary>Tests of entities whose key already exists in the store or in the context.</summary>
public sealed class AddingTests(StoreFixture store)
{
    static long _lastId = 9_000_000;

    [Fact]
    public async Task Save_of_an_added_entity_whose_key_is_stored_fails_with_advice()
    {
        long id = await SavedAsync("first");
        await using var db = store.NewContext();
        db.Products.Add(new Product { Id = id, Name = "second" });
        db.Products.Add(new Product { Id = NextId(), Name = "another" });
        var exception = await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Token));
        Assert.Contains($"The Product {id} cannot be added", exception.Message, StringComparison.Ordinal);
        Assert.Equal(EntityState.Added, exception.Entry.State);
        Assert.Equal("first", await NameOfAsync(id));
    }

    [Fact]
    public async Task Put_replaces_the_whole_stored_entity()
    {
        long id = await SavedAsync("first", "tag");
        await using (var db = store.NewContext())
        {
            db.Products.Put(new Product { Id = id, Name = "second" });
            Assert.Equal(1, await db.SaveChangesAsync(Token));
        }
        await using var other = store.NewContext();
        var product = await other.Products.FindAsync([id], Token);
        Assert.Equal("second", product!.Name);
        Assert.Empty(product.Tags);
        product.Name = "third";
        await other.SaveChangesAsync(Token);
        Assert.Equal("third", await NameOfAsync(id));
    }

    [Fact]
    public async Task Second_of_two_contexts_that_add_the_same_key_fails()
    {
        long id = NextId();
        await using var one = store.NewContext();
        await using var other = store.NewContext();
        one.Products.Add(new Product { Id = id, Name = "one" });
        other.Products.Add(new Product { Id = id, Name = "other" });
        await one.SaveChangesAsync(Token);
        await Assert.ThrowsAsync<EntityConflictException>(() => other.SaveChangesAsync(Token));
        Assert.Equal("one", await NameOfAsync(id));
    }

    [Fact]
    public async Task Entity_added_with_the_key_of_a_removed_one_replaces_it()
    {
        long id = await SavedAsync("first", "tag");
        await using var db = store.NewContext();
        db.Products.Remove((await db.Products.FindAsync([id], Token))!);
        db.Products.Add(new Product { Id = id, Name = "second" });
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Equal("second", await NameOfAsync(id));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Removed_entity_is_deleted_if_its_replacement_is_removed_or_detached(bool isRemoved)
    {
        long id = await SavedAsync("first");
        await using var db = store.NewContext();
        db.Products.Remove((await db.Products.FindAsync([id], Token))!);
        var second = new Product { Id = id, Name = "second" };
        db.Products.Add(second);
        if (isRemoved)
            db.Products.Remove(second);
        else
            db.Entry(second).State = EntityState.Detached;
        Assert.Equal(1, await db.SaveChangesAsync(Token));
        Assert.Null(await NameOfAsync(id));
    }

    [Fact]
    public async Task Concurrency_token_of_an_updated_entity_that_was_not_read_is_its_current_value()
    {
        await using var db = store.NewContext();
        var ticket = new Ticket { Id = NextId(), Title = "first", Version = 1 };
        db.Tickets.Add(ticket);
        await db.SaveChangesAsync(Token);
        ticket.Version = 2;
        await db.SaveChangesAsync(Token);

        // As in a web form, the values read earlier come back as a new object.
        await using (var form = store.NewContext())
        {
            form.Tickets.Update(new Ticket { Id = ticket.Id, Title = "stale", Version = 1 });
            await Assert.ThrowsAsync<EntityConflictException>(() => form.SaveChangesAsync(Token));
        }
        await using (var form = store.NewContext())
        {
            form.Tickets.Remove(new Ticket { Id = ticket.Id, Version = 1 });
            await Assert.ThrowsAsync<EntityConflictException>(() => form.SaveChangesAsync(Token));
        }
        await using (var form = store.NewContext())
        {
            var fresh = new Ticket { Id = ticket.Id, Title = "fresh", Version = 2 };
            form.Tickets.Update(fresh);
            fresh.Version = 3;
            await form.SaveChangesAsync(Token);
        }
        await using (var form = store.NewContext())
        {
            var read = (await form.Tickets.FindAsync([ticket.Id], Token))!;
            Assert.Equal(("fresh", 3), (read.Title, read.Version));
            read.Title = "again";
            form.Entry(read).Property(t => t.Version).OriginalValue = 2;
            await Assert.ThrowsAsync<EntityConflictException>(() => form.SaveChangesAsync(Token));
            form.Entry(read).Property(t => t.Version).OriginalValue = 3;
            await form.SaveChangesAsync(Token);
        }
        await using (var form = store.NewContext())
        {
            form.Tickets.Remove(new Ticket { Id = ticket.Id, Version = 3 });
            Assert.Equal(1, await form.SaveChangesAsync(Token));
        }
    }

    [Fact]
    public async Task Value_that_cannot_be_stored_is_reported_together_with_all_other_errors()
    {
        await using var db = store.NewContext();
        var (one, other) = (new Product { Id = NextId(), Name = "\uD800" }, new Product { Id = NextId(), Name = "\uDC00x" });
        db.Products.AddRange(one, other);
        var exception = await Assert.ThrowsAsync<EntityValidationException>(() => db.SaveChangesAsync(Token));
        Assert.Equal([DocumentKey.Of(one.Id), DocumentKey.Of(other.Id)], exception.Errors.Select(error => error.Key));
        Assert.All(exception.Errors, error => Assert.Equal(("Product", "Name"), (error.Entity, error.Property)));
        Assert.Contains("half of a surrogate pair", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Find_returns_null_for_a_key_that_no_entity_can_have()
    {
        await using var db = store.NewContext();
        Assert.Null(await db.Products.FindAsync([null], Token));
        Assert.Null(await db.Products.WithConsistency(Consistency.One).FindAsync([null], Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await db.Products.FindAsync(["1"], Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await db.Products.FindAsync([1L, 2L], Token));
    }

    [Fact]
    public async Task Reload_detaches_an_entity_that_no_longer_exists()
    {
        long id = await SavedAsync("first");
        await using var db = store.NewContext();
        var product = (await db.Products.FindAsync([id], Token))!;
        await using (var other = store.NewContext())
        {
            other.Products.Remove((await other.Products.FindAsync([id], Token))!);
            await other.SaveChangesAsync(Token);
        }
        await db.Entry(product).ReloadAsync(Token);
        Assert.Equal(EntityState.Detached, db.Entry(product).State);
        Assert.False(db.ChangeTracker.HasChanges());
    }

    [Fact]
    public async Task Values_that_do_not_fit_a_property_are_refused_with_its_name()
    {
        await using var db = store.NewContext();
        var entry = db.Products.Attach(new Product { Id = NextId() });
        Assert.Contains("Price of Product is of type Decimal, but the given value is of type String", Refused<ArgumentException>("Price", "7"), StringComparison.Ordinal);
        Assert.Contains("the given value is null", Refused<ArgumentException>("Price", null), StringComparison.Ordinal);
        Assert.Contains("because Warehouse is null. Set Warehouse first", Refused<InvalidOperationException>("Warehouse.City", "Bonn"), StringComparison.Ordinal);

        string Refused<T>(string property, object? value)
            where T : Exception => Assert.Throws<T>(() => entry.Property(property).CurrentValue = value).Message;
    }

    async Task<long> SavedAsync(string name, params string[] tags)
    {
        await using var db = store.NewContext();
        var product = new Product { Id = NextId(), Name = name, Tags = [.. tags] };
        db.Products.Add(product);
        await db.SaveChangesAsync(Token);
        return product.Id;
    }

    async Task<string?> NameOfAsync(long id)
    {
        await using var db = store.NewContext();
        return (await db.Products.FindAsync([id], Token))?.Name;
    }

    static long NextId() => Interlocked.Increment(ref _lastId);

    static CancellationToken Token => TestContext.Current.CancellationToken;
}
