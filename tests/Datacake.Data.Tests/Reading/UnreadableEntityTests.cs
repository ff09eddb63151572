using Datacake.Crdt;
using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Reading;

/// <summary>Tests of stored entities that do not match their class: errors name them, and they can be skipped, listed and deleted.</summary>
public sealed class UnreadableEntityTests : IAsyncLifetime
{
    readonly StoreFixture _store = new();

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _store.InitializeAsync();
        await using var db = _store.NewContext();
        for (int id = 1; id <= 5; id++)
            db.Products.Add(new Product { Id = id, Name = $"product {id}", Category = "bread", Price = id });
        await db.SaveChangesAsync(Token);
        var broken = new Transaction();
        broken.Update("Products", 2L, Cell("Price", 0xA1, (byte)'x'));
        broken.Update("Products", 4L, Cell("Name", 5));
        await (await _store.Node.OpenStoreAsync(Token)).CommitAsync(broken, Consistency.None, Token);
    }

    public ValueTask DisposeAsync() => _store.DisposeAsync();

    [Fact]
    public async Task Query_that_reads_an_unreadable_entity_names_it_and_the_remedies()
    {
        await using var db = _store.NewContext();
        var exception = await Assert.ThrowsAsync<UnreadableEntityException>(() => db.Products.ToListAsync(Token));
        Assert.Equal(DocumentKey.Of(2L), exception.Key);
        Assert.Contains("Its property Price does not match the class", exception.Reason, StringComparison.Ordinal);
        foreach (string part in (string[])["Product 2", "SkipUnreadable", "ListUnreadableAsync", "DeleteUnreadableAsync"])
            Assert.Contains(part, exception.Message, StringComparison.Ordinal);
        Assert.Equal("product 3", (await db.Products.FindAsync([3L], Token))!.Name);
    }

    [Fact]
    public async Task SkipUnreadable_leaves_unreadable_entities_out()
    {
        await using var db = _store.NewContext();
        Assert.Equal([1L, 3, 5], (await db.Products.SkipUnreadable().ToListAsync(Token)).Select(product => product.Id));
        var dearest = db.Products.SkipUnreadable().Where(product => product.Category == "bread").OrderByDescending(product => product.Price);
        Assert.Equal(["product 5", "product 3"], await dearest.Select(product => product.Name).Take(2).ToListAsync(Token));
        // A projection skips the same entities, even if it does not use the unreadable property.
        Assert.Equal([5L, 3], await dearest.Select(product => product.Id).Take(2).ToListAsync(Token));
        Assert.Equal((3, 3), (await db.Products.SkipUnreadable().CountAsync(Token), await dearest.CountAsync(Token)));
        Assert.Equal([1L, 3], (await db.Products.SkipUnreadable().Take(2).ToListAsync(Token)).Select(product => product.Id));
        Assert.Equal([5L], (await db.Products.SkipUnreadable().Skip(2).Take(2).ToListAsync(Token)).Select(product => product.Id));
        Assert.Equal([3L], (await db.Products.SkipUnreadable().Skip(1).Take(1).ToListAsync(Token)).Select(product => product.Id));
    }

    [Fact]
    public async Task A_raw_document_among_entities_is_unreadable()
    {
        await (await _store.Node.OpenStoreAsync(Token)).Keyspace("Products").PutAsync(3L, "garbage"u8.ToArray(), Consistency.None, Token);
        await using var db = _store.NewContext();
        var exception = await Assert.ThrowsAsync<UnreadableEntityException>(async () => await db.Products.FindAsync([3L], Token));
        Assert.Equal("It is a raw document, not an entity.", exception.Reason);
        Assert.Equal(3, await db.Products.DeleteUnreadableAsync(Consistency.None, Token));
    }

    [Fact]
    public async Task Unreadable_entities_are_listed_and_deleted_and_the_others_stay()
    {
        await using var db = _store.NewContext();
        Assert.Equal([DocumentKey.Of(2L), DocumentKey.Of(4L)], (await db.Products.ListUnreadableAsync(Token).ToListAsync(Token)).Select(found => found.Key));
        Assert.Equal(2, await db.Products.DeleteUnreadableAsync(Consistency.None, Token));
        Assert.Equal([1L, 3, 5], (await db.Products.ToListAsync(Token)).Select(product => product.Id));
        Assert.Equal(0, await db.Products.DeleteUnreadableAsync(Consistency.None, Token));
    }

    [Fact]
    public async Task Index_does_not_hide_an_entity_whose_value_it_cannot_read()
    {
        var store = await _store.Node.OpenStoreAsync(Token);
        var broken = new Transaction();
        broken.Update("Products", 3L, Cell("Category", 5));
        await store.CommitAsync(broken, Consistency.None, Token);
        await using var db = _store.NewContext();
        await db.Products.DeleteUnreadableAsync(Consistency.None, Token);
        await db.SaveChangesAsync(Token);
        broken = new Transaction();
        broken.Update("Products", 1L, Cell("Category", 5));
        await store.CommitAsync(broken, Consistency.None, Token);

        var bread = db.Products.Where(product => product.Category == "bread");
        Assert.Equal("Products: index Category where Category = 'bread'", bread.Explain());
        foreach (var query in (Query<Product>[])[
            bread, bread.AsNoTracking(), db.Products.Where(p => p.Category == "cake"), db.Products.OrderBy(p => p.Category), db.Products.OrderByDescending(p => p.Category).Take(1),
            db.Products.Where(p => p.Category == "bread" || p.Id == 5), db.Products.Where(p => p.Category != null)])
        {
            Assert.Contains("index Category", query.Explain(), StringComparison.Ordinal);
            var exception = await Assert.ThrowsAsync<UnreadableEntityException>(() => query.ToListAsync(Token));
            Assert.Equal(DocumentKey.Of(1L), exception.Key);
            await Assert.ThrowsAsync<UnreadableEntityException>(() => query.Select(product => product.Name).ToListAsync(Token));
        }
        await Assert.ThrowsAsync<UnreadableEntityException>(() => bread.CountAsync(Token));
        await Assert.ThrowsAsync<UnreadableEntityException>(() => db.Products.MaxAsync(product => product.Category, Token));

        var readable = db.Products.SkipUnreadable();
        Assert.Equal([5L], (await readable.OrderByDescending(product => product.Category).ToListAsync(Token)).Select(product => product.Id));
        Assert.Equal((1, 1), (await readable.CountAsync(Token), await readable.CountAsync(product => product.Category == "bread", Token)));
        Assert.Equal([DocumentKey.Of(1L)], (await db.Products.ListUnreadableAsync(Token).ToListAsync(Token)).Select(found => found.Key));
        Assert.True((await store.VerifyAsync(Token)).IsSound);

        Assert.Equal(1, await db.Products.DeleteUnreadableAsync(Consistency.None, Token));
        Assert.Equal([5L], (await bread.ToListAsync(Token)).Select(product => product.Id));
        Assert.Equal(1, await bread.CountAsync(Token));
    }

    static DocumentContent Cell(string property, params byte[] value)
    {
        var content = new DocumentContentBuilder();
        content.Set(DocumentPath.OfProperty(property).Encoded.Span, value);
        return content.Build();
    }
}
