using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Saving;

/// <summary>Entities with a key that the store, or the context, has already.</summary>
public sealed class AddingTests(StoreFixture store)
{
    static long _lastId = 9_000_000;

    [Fact]
    public async Task Added_entity_whose_key_is_stored_fails_the_save_and_says_what_to_do()
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
    public async Task Put_replaces_what_is_stored_as_a_whole()
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
    public async Task Of_two_contexts_that_add_one_key_the_second_fails()
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
    public async Task Entity_that_replaces_a_removed_one_is_saved_in_its_place()
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
    public async Task Entity_is_gone_if_the_one_that_was_to_replace_it_is_removed_or_detached(bool isRemoved)
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
    public async Task Token_of_an_entity_that_was_not_read_is_the_one_that_it_has()
    {
        await using var db = store.NewContext();
        var ticket = new Ticket { Id = NextId(), Title = "first", Version = 1 };
        db.Tickets.Add(ticket);
        await db.SaveChangesAsync(Token);
        ticket.Version = 2;
        await db.SaveChangesAsync(Token);

        // The web form: what was read earlier comes back as a new object.
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
    public async Task Value_that_cannot_be_stored_is_told_with_the_entity_and_all_others_that_are_wrong()
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
    public async Task Key_that_no_entity_can_have_finds_nothing()
    {
        await using var db = store.NewContext();
        Assert.Null(await db.Products.FindAsync([null], Token));
        Assert.Null(await db.Products.WithConsistency(Consistency.One).FindAsync([null], Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await db.Products.FindAsync(["1"], Token));
        await Assert.ThrowsAsync<ArgumentException>(async () => await db.Products.FindAsync([1L, 2L], Token));
    }

    [Fact]
    public async Task Entity_that_is_gone_is_detached_by_a_reload()
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
    public async Task Values_that_do_not_fit_a_property_are_refused_by_name()
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
