using System.Linq.Expressions;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>Tests of queries as IQueryable, as libraries that compose queries use them.</summary>
[Collection(QueriedMarket.Tests)]
public sealed class QueryableTests(QueriedMarket market)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Page_query_composed_by_a_library_uses_an_index()
    {
        await using var db = market.NewContext();
        // Builds the query without static types and with property names, as a library does for a web request.
        IQueryable source = db.Orders.AsQueryable();
        var order = Expression.Parameter(source.ElementType);
        var isPaid = Expression.Lambda(Expression.Equal(Expression.Property(order, "State"), Expression.Constant(OrderState.Paid)), order);
        var filtered = source.Provider.CreateQuery(Expression.Call(typeof(Queryable), "Where", [source.ElementType], source.Expression, Expression.Quote(isPaid)));
        var placed = Expression.Lambda(Expression.Property(order, "Placed"), order);
        var sorted = filtered.Provider.CreateQuery(
            Expression.Call(typeof(Queryable), "OrderByDescending", [source.ElementType, typeof(DateTime)], filtered.Expression, Expression.Quote(placed)));
        var page = ((IQueryable<Order>)sorted).Select(o => new OrderRow { Id = o.Id, Placed = o.Placed }).Skip(2).Take(3);

        var expected = market.Data.Orders.Where(o => o.State == OrderState.Paid).ToList();
        Assert.Equal(expected.Count, await ((IQueryable<Order>)filtered).CountAsync(Token));
        Assert.Equal(expected.OrderByDescending(o => o.Placed).Skip(2).Take(3).Select(o => o.Id), (await page.ToListAsync(Token)).Select(row => row.Id));
        Assert.StartsWith(
            "indexed orders: index State_Placed where State = Paid, descending; order by Placed descending; skip 2 in the index; take 3; select", page.Explain(), StringComparison.Ordinal);
        Assert.Empty(db.ChangeTracker.Entries());
    }

    [Fact]
    public async Task Results_can_be_streamed()
    {
        await using var db = market.NewContext();
        var ids = new List<long>();
        await foreach (var customer in db.Customers.AsNoTracking().AsQueryable().Where(c => c.IsActive).AsAsyncEnumerable().WithCancellation(Token))
            ids.Add(customer.Id);
        Assert.Equal(market.Data.Customers.Where(c => c.IsActive).Select(c => c.Id), ids);
        Assert.Equal(ids, await ((IAsyncEnumerable<Customer>)db.Customers.AsQueryable().Where(c => c.IsActive)).Select(c => c.Id).ToListAsync(Token));
    }

    [Fact]
    public async Task Synchronous_execution_is_refused_and_names_the_asynchronous_method()
    {
        await using var db = market.NewContext();
        var query = db.Customers.AsQueryable().Where(c => c.IsActive);
        Refuses("ToListAsync", () => query.ToList());
        Refuses("ToListAsync", () => string.Concat(query));
        Refuses("CountAsync", () => query.Count());
        Refuses("FirstOrDefaultAsync", () => query.FirstOrDefault());
        Refuses("SumAsync", () => query.Sum(c => c.Id));

        static void Refuses(string remedy, Func<object?> action) =>
            Assert.Contains(remedy, Assert.Throws<InvalidOperationException>(() => action()).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Untranslatable_operator_is_refused_and_named_when_the_query_is_created()
    {
        await using var db = market.NewContext();
        var customers = db.Customers.AsQueryable();
        var orders = db.Orders.AsQueryable();
        Refuses("Where", () => customers.Where((c, i) => i > 2));
        Refuses("Take", () => customers.Take(1..3));
        Refuses("CountBy", () => customers.CountBy(c => c.Name));
        Refuses("Distinct", () => customers.Distinct(EqualityComparer<Customer>.Create((a, b) => a!.Id == b!.Id)));
        Refuses("GroupJoin", () => customers.Where(c => orders.Any(o => o.CustomerId == c.Id)));
        Refuses("GroupJoin", () => customers.Select(c => orders.Where(o => o.CustomerId == c.Id).Count()));

        static void Refuses(string named, Func<IQueryable> query) =>
            Assert.Contains(named, Assert.Throws<NotSupportedException>(query).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Foreign_queryable_is_refused()
    {
        var query = market.Data.Customers.AsQueryable();
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => query.ToListAsync(Token));
        Assert.Contains("AsQueryable() of a keyspace", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entities_of_a_queryable_are_tracked_by_default()
    {
        await using var db = market.NewContext();
        Assert.NotEmpty(await db.Customers.AsQueryable().Where(c => c.IsActive).AsNoTracking().ToListAsync(Token));
        Assert.Empty(db.ChangeTracker.Entries());
        var active = await db.Customers.AsQueryable().Where(c => c.IsActive).ToDictionaryAsync(c => c.Id, Token);
        Assert.Equal(active.Count, db.ChangeTracker.Entries().Count);
    }

    [Fact]
    public async Task Queryable_supports_the_settings_of_a_query()
    {
        await using var db = market.NewContext();
        db.ChangeTracker.QueryTrackingBehavior = QueryTrackingBehavior.NoTracking;
        Assert.NotEmpty(await db.Customers.AsQueryable().ToArrayAsync(Token));
        Assert.Empty(db.ChangeTracker.Entries());
        Assert.EndsWith("; tagged 'page'", db.Customers.AsQueryable().Where(c => c.City == "zug").TagWith("page").Explain(), StringComparison.Ordinal);
        var tracked = await db.Customers.AsQueryable().AsTracking().Where(c => c.IsActive).ToHashSetAsync(Token);
        Assert.Equal(tracked.Count, db.ChangeTracker.Entries().Count);
    }

    sealed class OrderRow
    {
        public long Id { get; set; }
        public DateTime Placed { get; set; }
    }
}
