namespace Datacake.Data.Tests.Relations;

public class DeclaredIncludeTests : TradingStore
{
    [Theory, MemberData(nameof(Stores))]
    public async Task Declared_reference_is_included_without_naming_its_foreign_key(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var orders = await db.Orders.Include(o => o.Customer).Include(o => o.Agent).OrderBy(o => o.Id).ToListAsync(Token);
        Assert.Equal(["Ann by Pia", "Ann by ", "Bob by Tor", "Ann by Pia"], orders.Select(o => $"{o.Customer!.Name} by {o.Agent?.Name}"));
        Assert.Same(orders[0].Customer, orders[1].Customer);
        Assert.False(db.ChangeTracker.HasChanges());
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Collection_and_references_of_its_entities_are_included(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var query = db.Customers.Include(c => c.Orders).ThenInclude(o => o.Lines).ThenInclude(l => l.Product).Include(c => c.Orders).ThenInclude(o => o.Agent).OrderBy(c => c.Id);
        Assert.EndsWith("include Orders (include Lines (include Product); include Agent)", query.Explain(), StringComparison.Ordinal);
        var customers = await query.ToListAsync(Token);
        Assert.Equal(
            ["Ann: 11 by Pia (cake, tea) 12 by  () 14 by Pia ()", "Bob: 13 by Tor (tea)", "Cid: "],
            customers.Select(c => $"{c.Name}: {string.Join(' ', c.Orders.Select(o => $"{o.Id} by {o.Agent?.Name} ({string.Join(", ", o.Lines!.Select(l => l.Product!.Name))})"))}"));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Operators_after_an_inclusion_read_the_entities_as_they_do_without_it(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var orders = db.Orders.Include(o => o.Customer);
        Assert.Equal($"{db.Orders.Reverse().Take(2).Explain()}; include Customer", orders.Reverse().Take(2).Explain());
        Assert.Equal(11, await orders.MinAsync(o => o.Id, Token));
        Assert.Equal([3, 1], await orders.GroupBy(o => o.CustomerId).Select(g => g.Count()).ToListAsync(Token));
        Assert.True(await orders.AnyAsync(Token));
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.Equal("Ann", (await orders.LastAsync(Token)).Customer!.Name);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Condition_after_Take_filters_the_entities_with_their_inclusions(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var orders = db.Orders.Include(o => o.Customer).OrderBy(o => o.Id).Take(3).Where(o => o.Id > 11);
        Assert.Equal(2, await orders.CountAsync(Token));
        Assert.Equal([12, 13], await orders.Select(o => o.Id).ToListAsync(Token));
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.Equal(["Ann", "Bob"], (await orders.ToListAsync(Token)).Select(o => o.Customer!.Name));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Inclusions_before_and_after_a_condition_on_the_first_results_are_loaded_for_what_is_left(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var orders = db.Orders.Include(o => o.Customer).OrderBy(o => o.Id).Take(3).Where(o => o.CustomerId == 1).Include(o => o.Agent).OrderByDescending(o => o.Id).Take(1);
        Assert.Equal("Orders: full scan; order by Id; take 3; where o => o.CustomerId == 1; order by Id descending in memory, keeping 1; take 1; include Customer; include Agent", orders.Explain());
        var order = await orders.SingleAsync(Token);
        Assert.Equal((12, "Ann", null), (order.Id, order.Customer!.Name, order.Agent));
        Assert.Equal(["Ann", "Ann"], (await db.Orders.Take(2).Where(o => o.Id > 0).Include(o => o.Customer).ToListAsync(Token)).Select(o => o.Customer!.Name));
        // Bob's order is left out before its customer is loaded.
        Assert.Equal(["Ann"], db.ChangeTracker.Entries<Customer>().Select(entry => entry.Entity.Name));
        Assert.Contains("Call Include before Select", Assert.Throws<InvalidOperationException>(
            () => db.Orders.Take(3).Distinct().Include(o => o.Customer)).Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Related_entities_come_from_the_snapshot_of_the_results(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        for (int id = 100; id < 400; id++)
            db.Orders.Add(new Order { Id = id, CustomerId = 2 });
        await db.SaveChangesAsync(Token);

        Assert.Equal(["Ann", "Bob"], await NamesAsync(db.Orders.AsNoTracking().Include(o => o.Customer).AsAsyncEnumerable().Select(o => o.Customer!.Name), "Rob"));
        Assert.Equal(["Ann", "Rob"], await NamesAsync(db.Orders.Select(o => o.Customer!.Name).AsAsyncEnumerable(), "Bob"));
        Assert.Equal(["Ann", "Bob"], await NamesAsync(db.Orders.AsNoTracking().Take(1_000).Where(o => o.Id > 0).Include(o => o.Customer).AsAsyncEnumerable().Select(o => o.Customer!.Name), "Rob"));
        Assert.Equal(302, await db.Orders.Take(1_000).Where(o => o.Customer!.Name != "Ann").CountAsync(Token) + 1);

        // Renames the customer of all later orders after the first result was read.
        async Task<string[]> NamesAsync(IAsyncEnumerable<string> names, string newName)
        {
            var found = new HashSet<string>();
            await foreach (string name in names)
            {
                if (found.Count == 0)
                {
                    await using var other = NewContext(node);
                    (await other.Customers.FindAsync([2L], Token))!.Name = newName;
                    await other.SaveChangesAsync(Token);
                }
                found.Add(name);
            }
            return [.. found.Order(StringComparer.Ordinal)];
        }
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Query_with_an_inclusion_updates_its_entities_but_cannot_be_watched(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var orders = db.Orders.Include(o => o.Customer).Where(o => o.Id == 11);
        Assert.Contains("include Customer", Assert.Throws<InvalidOperationException>(() => orders.WatchAsync(Token)).Message, StringComparison.Ordinal);
        Assert.Equal(1, (await orders.ExecuteUpdateAsync(s => s.SetProperty(o => o.Total, 99), Token)).Count);
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.Equal(99, (await orders.SingleAsync(Token)).Total);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Included_collection_is_filtered_and_ordered(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        decimal least = 6;
        var customers = await db.Customers.Include(c => c.Orders.Where(o => o.Total > least).OrderByDescending(o => o.Total).Take(1)).AsNoTracking().ToListAsync(Token);
        Assert.Equal(["Ann: 12", "Bob: 13", "Cid: "], customers.Select(c => $"{c.Name}: {string.Join(' ', c.Orders.Select(o => o.Id))}"));
        var error = Assert.Throws<ArgumentException>(() => db.Customers.Include(c => c.Orders.Where(o => o.Total > c.Rank)));
        Assert.Contains("uses the including entity", error.Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => db.Customers.Include(c => c.Orders.Distinct()));
        Assert.Throws<ArgumentException>(() => db.Customers.Include(c => c.Orders.OrderBy(o => o.Lines!.Count)));
        var ofPia = await db.Customers.Include(c => c.Orders.Where(o => o.Agent!.Name == "Pia")).OrderBy(c => c.Id).AsNoTracking().FirstAsync(Token);
        Assert.Equal([11L, 14L], ofPia.Orders.Select(o => o.Id));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Include_path_through_a_null_reference_is_null(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var employees = await db.Employees.Include(e => e.Manager!.Manager).OrderBy(e => e.Id).ToListAsync(Token);
        Assert.Equal([null, "Max", "Max"], employees.Select(e => e.Manager?.Name));
        Assert.All(employees, e => Assert.Null(e.Manager?.Manager));
        var orders = await db.Orders.Include(o => o.Customer!.Country).OrderBy(o => o.Id).ToListAsync(Token);
        Assert.Equal(["Sweden", "Sweden", "Finland", "Sweden"], orders.Select(o => o.Customer!.Country!.Name));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Composite_foreign_keys_and_one_to_one_relations_are_included_from_both_ends(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal(["cold", null], await db.Products.Include(p => p.Shelf).OrderBy(p => p.Id).AsAsyncEnumerable().Select(p => p.Shelf?.Note).ToListAsync(Token));
        Assert.Equal("cake", Assert.Single((await db.Shelves.Include(s => s.Products).SingleAsync(Token)).Products!).Name);
        Assert.Equal(["P1", null, null], await db.Customers.AsNoTracking().Include(c => c.Passport).OrderBy(c => c.Id).AsAsyncEnumerable().Select(c => c.Passport?.Number).ToListAsync(Token));
        Assert.Equal("Ann", (await db.Passports.Include(p => p.Customer).SingleAsync(Token)).Customer!.Name);
        var tea = await db.Products.Include(p => p.Lines).SingleAsync(p => p.Name == "tea", Token);
        Assert.Equal([11L, 13L], tea.Lines.Select(l => l.OrderId));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Reloaded_collection_keeps_added_entities_and_leaves_out_removed_ones(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = await db.Customers.Include(c => c.Orders).SingleAsync(c => c.Id == 1, Token);
        var added = new Order { Id = 99 };
        ann.Orders.Add(added);
        ann.Orders.RemoveAll(o => o.Id == 12);
        await db.Customers.Include(c => c.Orders).ToListAsync(Token);
        Assert.Equal([11L, 14L, 99L], ann.Orders.Select(o => o.Id).Order());
        await db.SaveChangesAsync(Token);
        Assert.Equal([11L, 14L, 99L], await db.Orders.Where(o => o.CustomerId == 1).Select(o => o.Id).ToListAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Entry_loads_related_entities(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        var ann = (await db.Customers.FindAsync([1L], Token))!;
        var orders = db.Entry(ann).Collection(c => c.Orders);
        Assert.False(orders.IsLoaded);
        Assert.Equal(2, await orders.Query().CountAsync(o => o.Total < 15, Token));
        Assert.Empty(ann.Orders);
        await orders.LoadAsync(Token);
        Assert.True(orders.IsLoaded);
        Assert.Equal(3, orders.CurrentValue.Count);
        var customer = db.Entry(ann.Orders[0]).Reference(o => o.Customer);
        await customer.LoadAsync(Token);
        Assert.Same(ann, customer.CurrentValue);
        Assert.Contains("Call Collection", Assert.Throws<ArgumentException>(() => db.Entry(ann).Reference(c => c.Orders)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Model_exposes_its_relations()
    {
        await using var node = await StartAsync("memory");
        await using var db = NewContext(node);
        var order = db.Keyspaces.Single(keyspace => keyspace.Entity.Type == typeof(Order)).Entity;
        Assert.Equal(["Agent", "Customer", "Lines"], order.Navigations.Select(navigation => navigation.Name).Order());
        var customer = order.FindNavigation("Customer")!;
        Assert.Equal("Orders", customer.Inverse!.Name);
        Assert.Equal(("CustomerId", DeleteBehavior.Cascade, true), (customer.Relation.ForeignKey[0].Name, customer.Relation.DeleteBehavior, customer.Relation.IsRequired));
        Assert.Equal(DeleteBehavior.SetNull, order.FindNavigation("Agent")!.Relation.DeleteBehavior);
        Assert.Equal(["CustomerId", "SoldBy"], order.Indexes.Select(index => index.Name).Order());
        Assert.True(db.Keyspaces.Single(keyspace => keyspace.Entity.Type == typeof(Passport)).Entity.FindNavigation("Customer")!.Relation.IsUnique);
        // The key of a line starts with the key of its order.
        Assert.Equal(["ProductId"], db.Keyspaces.Single(keyspace => keyspace.Entity.Type == typeof(OrderLine)).Entity.Indexes.Select(index => index.Name));
        Assert.DoesNotContain(order.Properties, property => property.Kind == PropertyKind.Owned);
    }
}
