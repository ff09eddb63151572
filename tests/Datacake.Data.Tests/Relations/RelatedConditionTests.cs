namespace Datacake.Data.Tests.Relations;

public class RelatedConditionTests : TradingStore
{
    [Theory, MemberData(nameof(Stores))]
    public async Task Conditions_on_references_need_no_include(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        async Task<string> Ids(Query<Order> orders) => string.Join(' ', await orders.Select(o => o.Id).ToListAsync(Token));
        Assert.Equal("11 12 14", await Ids(db.Orders.Where(o => o.Customer!.Name == "Ann")));
        Assert.Equal("13", await Ids(db.Orders.Where(o => o.Customer!.Country!.Name == "Finland")));
        Assert.Equal("11 14", await Ids(db.Orders.Where(o => o.Total < 15 && o.Customer!.Rank > 2)));
        Assert.Equal("13", await Ids(db.Orders.Where(o => !o.Customer!.IsActive)));
        Assert.Equal("11 12 14", await Ids(db.Orders.Where(o => o.Customer!.Name.StartsWith("An") || o.Customer.Name.Length == 7)));
        Assert.Equal("12", await Ids(db.Orders.Where(o => o.Agent == null)));
        Assert.Equal("11 13 14", await Ids(db.Orders.Where(o => o.Agent!.Manager!.Manager == null && o.Agent != null)));
        Assert.Equal("12 14", await Ids(db.Orders.Where(o => o.Customer!.Name == "Ann").OrderBy(o => o.Id).Skip(1)));
        Assert.Equal("11", await Ids(db.Orders.Where(o => o.Customer!.Name == "Ann").Take(1)));
        Assert.Equal("14", await Ids(db.Orders.OrderBy(o => o.Id).Skip(1).Where(o => o.Agent!.Name == "Pia")));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Member_of_a_null_reference_is_null(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        async Task<string> Ids(System.Linq.Expressions.Expression<Func<Order, bool>> condition) => string.Join(' ', await db.Orders.Where(condition).Select(o => o.Id).ToListAsync(Token));
        Assert.Equal("11 14", await Ids(o => o.Agent!.Name == "Pia"));
        Assert.Equal("12 13", await Ids(o => o.Agent!.Name != "Pia"));
        Assert.Equal("12", await Ids(o => o.Agent!.Name == null));
        Assert.Equal("13", await Ids(o => o.Agent!.Id > 2));
        Assert.Equal("11 12 14", await Ids(o => o.Agent!.Id != 3));
        Assert.Equal("11 13 14", await Ids(o => o.Agent!.ManagerId == 1));
        Assert.Equal("11 14", await Ids(o => o.Agent!.Name.Contains("ia")));
        Assert.Equal("13", await Ids(o => o.Agent!.Name.Trim() == "Tor"));
        Assert.Equal("11 13 14", await Ids(o => o.Agent!.Orders.Count > 0));
        Assert.Equal("12", await Ids(o => (o.Agent!.Name ?? "none") == "none"));
        Assert.Equal("12", await Ids(o => (o.Agent == null ? 0 : o.Agent.Id) == 0));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Condition_on_the_key_of_a_reference_uses_the_foreign_key_index(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        async Task<string> Ids(Query<Order> orders)
        {
            Assert.Contains("index", orders.Explain(), StringComparison.Ordinal);
            return string.Join(' ', await orders.Select(o => o.Id).ToListAsync(Token));
        }
        long two = 2;
        Assert.Equal("13", await Ids(db.Orders.Where(o => o.Customer!.Id == two)));
        Assert.Equal("11 12 14", await Ids(db.Orders.Where(o => 1 == o.Customer!.Id && o.Total < 100)));
        Assert.Equal("13", await Ids(db.Orders.Where(o => o.Customer!.Id > 1)));
        Assert.Equal("13", await Ids(db.Orders.Where(o => new[] { 2L, 7 }.Contains(o.Customer!.Id))));
        Assert.Equal("11 14", await Ids(db.Orders.Where(o => o.Agent!.Id == two)));
        Assert.Equal("11 14", await Ids(db.Orders.Where(o => (long?)o.Agent!.Id == two)));
        Assert.Equal("Ann", await db.Customers.Where(c => c.Country!.Code == "se").Select(c => c.Name).SingleAsync(Token));

        // A missing country has no key, whatever the value of the foreign key.
        await db.Customers.Where(c => c.Id == 1).ExecuteUpdateAsync(s => s.SetProperty(c => c.CountryCode, "no"), Token);
        Assert.Equal(0, await db.Customers.CountAsync(c => c.Country!.Code == "no", Token));
        Assert.Equal(2, await db.Customers.CountAsync(c => c.Country!.Code == null, Token));
        Assert.Equal(2, await db.Customers.CountAsync(c => (c.Country!.Code ?? "") == "", Token));
        Assert.Equal(2, await db.Customers.CountAsync(c => string.IsNullOrEmpty(c.Country!.Code), Token));
        Assert.Equal(2, await db.Customers.CountAsync(c => c.Country!.Code != "fi", Token));
        Assert.Equal(2, await db.Customers.CountAsync(c => !(c.Country!.Code == "fi"), Token));
    }

    [Fact]
    public async Task Scan_warning_does_not_name_an_index_that_would_not_help()
    {
        using var log = new CollectingLog();
        await using var node = await FilledAsync("memory", options => options.WithLoggerFactory(log));
        await using var db = NewContext(node);
        db.ScanWarningThreshold = 1;
        Assert.Equal(1, await db.Orders.CountAsync(o => o.Total > 0 && o.Customer!.Country!.Name == "Finland", Token));
        string warning = Assert.Single(log.Messages, message => message.Contains("Query the related entities", StringComparison.Ordinal));
        Assert.DoesNotContain("[Index", warning, StringComparison.Ordinal);
        Assert.Contains("Query the related entities first", warning, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Conditions_on_collections_need_no_include(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        async Task<string> Names(Query<Customer> customers) => string.Join(' ', await customers.OrderBy(c => c.Id).Select(c => c.Name).ToListAsync(Token));
        Assert.Equal("Ann Bob", await Names(db.Customers.Where(c => c.Orders.Any())));
        Assert.Equal("Bob", await Names(db.Customers.Where(c => c.Orders.Any(o => o.Total > 25))));
        Assert.Equal("Ann", await Names(db.Customers.Where(c => c.Orders.Count == 3)));
        Assert.Equal("Ann", await Names(db.Customers.Where(c => c.Orders.Any(o => o.Lines!.Any(l => l.Product!.Name == "cake")))));
        Assert.Equal("Ann Bob", await Names(db.Customers.Where(c => c.Orders.SelectMany(o => o.Lines!).Any(l => l.Product!.Name == "tea"))));
        Assert.Equal("Ann", await Names(db.Customers.Where(c => c.Orders.Count > 0 && c.Orders.OrderBy(o => o.Total).First().Agent!.Name == "Pia")));
        Assert.Equal("Ann", await Names(db.Customers.Where(c => c.Orders.Sum(o => o.Total) == 35)));
        Assert.Equal("Ann", await Names(db.Customers.Where(c => c.Passport!.Number == "P1")));
        Assert.Equal("Bob Cid", await Names(db.Customers.Where(c => c.Passport == null)));
        Assert.Equal("cake tea", string.Join(' ', await db.Products.Where(p => p.Lines.Any(l => l.Order!.Customer!.Name == "Ann")).Select(p => p.Name).ToListAsync(Token)));
        Assert.Equal("Max", (await db.Employees.SingleAsync(e => e.Reports.Any(r => r.Name == "Tor"), Token)).Name);
        Assert.Empty(db.ChangeTracker.Entries<Order>());
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Orders_by_related_entities_put_missing_ones_first(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal([12L, 11, 14, 13], await db.Orders.OrderBy(o => o.Agent!.Name).Select(o => o.Id).ToListAsync(Token));
        Assert.Equal([12L, 11, 14, 13], await db.Orders.OrderBy(o => o.Agent!.Id).Select(o => o.Id).ToListAsync(Token));
        Assert.Equal([13L, 14, 11, 12], await db.Orders.OrderByDescending(o => o.Agent!.Id).ThenByDescending(o => o.Id).Select(o => o.Id).ToListAsync(Token));
        Assert.Equal([13L, 12, 11], await db.Orders.OrderByDescending(o => o.Customer!.Rank).ThenByDescending(o => o.Total).Take(3).Select(o => o.Id).ToListAsync(Token));
        Assert.Equal(["Ann", "Bob", "Cid"], await db.Customers.OrderByDescending(c => c.Orders.Count).Select(c => c.Name).ToListAsync(Token));
        Assert.Equal([14L, 13], await db.Orders.OrderByDescending(o => o.Id).Take(2).OrderBy(o => o.Customer!.Name).Select(o => o.Id).ToListAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Projections_of_related_entities_need_no_include(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var shown = await db.Orders.OrderBy(o => o.Id).Select(o => new { o.Id, o.Customer!.Name, Agent = o.Agent!.Name, Lines = o.Lines!.Count, Products = o.Lines.Select(l => l.Product!.Name).ToList() }).ToListAsync(Token);
        Assert.Equal(
            ["11 Ann Pia 2 cake,tea", "12 Ann  0 ", "13 Bob Tor 1 tea", "14 Ann Pia 0 "], shown.Select(o => $"{o.Id} {o.Name} {o.Agent} {o.Lines} {string.Join(',', o.Products)}"));
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.Equal(65, await db.Orders.SumAsync(o => o.Customer!.Orders.Count > 0 ? o.Total : 0, Token));
        Assert.Equal([2L, null, 3, 2], await db.Orders.OrderBy(o => o.Id).Select(o => (long?)o.Agent!.Id).ToListAsync(Token));
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Orders.Select(o => o.Agent!.Id).ToListAsync(Token));
        Assert.Contains("dereferenced null", error.Message, StringComparison.Ordinal);
        var included = await db.Orders.Include(o => o.Customer).Where(o => o.Id == 11).Select(o => new { Order = o, o.Lines!.Count }).SingleAsync(Token);
        Assert.Equal(("Ann", 2), (included.Order.Customer!.Name, included.Count));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Projected_related_entities_are_tracked_unless_the_query_tracks_nothing(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal(2, await db.Orders.Select(o => o.Customer!).Distinct().CountAsync(Token));
        Assert.Equal(3, (await db.Orders.AsNoTracking().Select(o => new { o.Customer }).ToListAsync(Token)).Count(o => o.Customer!.Name == "Ann"));
        Assert.Empty(db.ChangeTracker.Entries());
        var ann = (await db.Orders.Where(o => o.Id == 11).Select(o => new { o.Customer }).SingleAsync(Token)).Customer!;
        Assert.Same(ann, await db.Customers.FindAsync([1L], Token));
        Assert.Single(db.ChangeTracker.Entries());
        Assert.Equal([11L, 12, 14], await db.Orders.Where(o => o.Customer == ann).Select(o => o.Id).ToListAsync(Token));
        Assert.Equal(1, await db.Orders.CountAsync(o => o.Customer != ann, Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Counts_updates_and_deletes_support_conditions_on_related_entities(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal(3, await db.Orders.CountAsync(o => o.Customer!.IsActive, Token));
        Assert.True(await db.Orders.AnyAsync(o => o.Agent!.Name == "Tor", Token));
        Assert.False(await db.Orders.AllAsync(o => o.Agent!.Name == "Tor", Token));
        Assert.Equal(30, await db.Orders.Where(o => o.Customer!.Name == "Bob").MaxAsync(o => o.Total, Token));
        Assert.Equal(2, await db.Orders.Where(o => o.Agent!.Name == "Pia").ExecuteUpdateAsync(s => s.SetProperty(o => o.Total, 100), Token));
        Assert.Equal(1, await db.Orders.Where(o => o.Customer!.Country!.Code == "fi").ExecuteDeleteAsync(Token));
        Assert.Equal([100m, 20, 100], await db.Orders.Select(o => o.Total).ToListAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Conditions_and_orders_on_related_entities_work_beside_includes(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var orders = await db.Orders.Include(o => o.Customer).Where(o => o.Customer!.Name == "Ann").Include(o => o.Lines).OrderByDescending(o => o.Agent!.Name).ThenBy(o => o.Id).Take(2).ToListAsync(Token);
        Assert.Equal(["11 Ann 2", "14 Ann 0"], orders.Select(o => $"{o.Id} {o.Customer!.Name} {o.Lines!.Count}"));
    }

    [Fact]
    public async Task Conditions_that_cannot_be_analyzed_are_refused()
    {
        await using var node = await StartAsync("memory");
        await using var db = NewContext(node);
        var error = await Assert.ThrowsAnyAsync<InvalidOperationException>(() => db.Customers.Where(c => c.Orders.GroupBy(o => o.Total).Any(g => g.First().Agent!.Name == "x")).ToListAsync(Token));
        Assert.Contains("it cannot be determined which entities this refers to", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<InvalidOperationException>(() => db.Orders.Where(o => o.Customer!.Name == "x").WatchAsync(Token));
        Assert.Contains("A watched query follows the entities of one keyspace", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Condition_on_an_undeclared_relation_that_is_not_included_is_refused_and_named()
    {
        await using var node = await StartAsync("memory");
        await using var db = new Shop.LibraryContext(node);
        var error = Assert.Throws<InvalidOperationException>(() => db.Books.Where(b => b.Author!.Name == "Ann"));
        Assert.Contains("uses Author of Book", error.Message, StringComparison.Ordinal);
        Assert.Contains("Include(e => e.Author, e => e.AuthorId)", error.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => db.Authors.Where(a => a.Books.Any()));
        Assert.Throws<InvalidOperationException>(() => db.Authors.OrderBy(a => a.Books.Count));
        Assert.Throws<InvalidOperationException>(() => db.Books.Select(b => b.Author!.Name));
        Assert.Throws<InvalidOperationException>(() => db.Books.Include(b => b.Author, b => b.AuthorId).Where(b => b.Editor!.Name == "x"));
        Assert.Throws<InvalidOperationException>(() => db.Books.Include(b => b.Author));
    }
}
