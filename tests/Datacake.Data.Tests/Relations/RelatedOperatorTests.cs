using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Relations;

/// <summary>Tests that operators other than conditions, orders and projections load the related entities that they use.</summary>
public class RelatedOperatorTests : TradingStore
{
    [Theory, MemberData(nameof(Stores))]
    public async Task Collections_of_related_entities_are_flattened(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal([11L, 12, 14, 13], await db.Customers.SelectMany(c => c.Orders).Select(o => o.Id).ToListAsync(Token));
        Assert.Equal(["Ann 11", "Ann 12", "Ann 14", "Bob 13"], await db.Customers.SelectMany(c => c.Orders, (c, o) => $"{c.Name} {o.Id}").ToListAsync(Token));
        Assert.Equal(
            ["Ann 2", "Ann 1", "Bob 9"],
            await (from c in db.Customers from o in c.Orders from l in o.Lines! orderby c.Id, l.Number select $"{c.Name} {l.Quantity}").ToListAsync(Token));
        Assert.Equal([13L], await db.Customers.SelectMany(c => c.Orders.Where(o => o.Total > c.Rank * 5)).Where(o => o.Customer!.Name == "Bob").Select(o => o.Id).ToListAsync(Token));
        Assert.Equal(["Ann 10", "Ann 20", "Ann 5", "Bob 30", "Cid 0"], await db.Customers.SelectMany(c => c.Orders.DefaultIfEmpty(), (c, o) => $"{c.Name} {(o == null ? 0 : o.Total)}").ToListAsync(Token));
        Assert.Equal(["cake", "tea", "tea"], await db.Customers.SelectMany(c => c.Orders.SelectMany(o => o.Lines!), (c, l) => l.Product!.Name).ToListAsync(Token));
        Assert.Equal(4, await db.Countries.SelectMany(c => c.Customers).SelectMany(c => c.Orders).CountAsync(Token));
        Assert.DoesNotContain(db.ChangeTracker.Entries<Order>(), entry => entry.State != EntityState.Unchanged);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Groups_can_use_related_entities_in_keys_and_sums(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal(
            ["Ann 3 35", "Bob 1 30"],
            (await db.Orders.GroupBy(o => o.Customer!.Name).Select(g => new { g.Key, Count = g.Count(), Sum = g.Sum(o => o.Total) }).ToListAsync(Token)).Select(g => $"{g.Key} {g.Count} {g.Sum}"));
        Assert.Equal(["3 Ann", "1 Bob", "0 Cid"], await db.Customers.GroupBy(c => c.Orders.Count).Select(g => $"{g.Key} {g.First().Name}").ToListAsync(Token));
        Assert.Equal(["True 2", "False 1"], await db.Customers.GroupBy(c => c.Orders.Any()).Select(g => $"{g.Key} {g.Count()}").ToListAsync(Token));
        Assert.Equal(["True 3", "False 0"], await db.Customers.GroupBy(c => c.IsActive).Select(g => $"{g.Key} {g.Sum(c => c.Orders.SelectMany(o => o.Lines!).Count(l => l.Quantity < 9)) + (g.Key ? 1 : 0)}").ToListAsync(Token));
        Assert.Equal([2L, 0L, 3L], await db.Orders.GroupBy(o => o.Agent).Select(g => g.Key == null ? 0 : g.Key.Id).ToListAsync(Token));
        Assert.Equal(["Max"], await db.Orders.Where(o => o.Agent != null).GroupBy(o => o.Agent!).Select(g => g.Key.Manager!.Name).Distinct().ToListAsync(Token));
        Assert.Equal(["Ann"], await db.Orders.GroupBy(o => o.CustomerId).Where(g => g.Any(o => o.Lines!.Any(l => l.Product!.Name == "cake"))).Select(g => g.First().Customer!.Name).ToListAsync(Token));
        Assert.Equal(["Ann", "Bob"], await db.Orders.GroupBy(o => o.CustomerId, o => o.Customer!.Name).Select(g => g.First()).ToListAsync(Token));
        Assert.Equal([2L, 1], (await db.Orders.GroupBy(o => o.CustomerId).OrderByDescending(g => g.Max(o => o.Customer!.Rank)).Select(g => g.Key).ToListAsync(Token)));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Joins_can_use_related_entities_in_keys_and_results(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal(
            ["11 Sweden 2", "12 Sweden 0", "13 Finland 1", "14 Sweden 0"],
            await db.Orders.Join(db.Countries, o => o.Customer!.CountryCode, c => c.Code, (o, c) => $"{o.Id} {c.Name} {o.Lines!.Count}").ToListAsync(Token));
        Assert.Equal(
            ["Sweden 11", "Sweden 12", "Sweden 14", "Finland 13"],
            (await db.Countries.Join(db.Orders, c => c.Code, o => o.Customer!.CountryCode, (c, o) => $"{c.Name} {o.Id}").ToListAsync(Token)).OrderByDescending(text => text[0]));
        Assert.Equal(["Finland 1", "Sweden 3"], await db.Countries.GroupJoin(db.Orders, c => c.Code, o => o.Customer!.CountryCode, (c, orders) => $"{c.Name} {orders.Count()}").ToListAsync(Token));
        Assert.Equal(
            ["Ann 3", "Bob 1", "Cid 0"],
            await db.Customers.LeftJoin(db.Passports, c => c.Id, p => p.CustomerId, (c, p) => new { c, p }).OrderBy(x => x.c.Id).Select(x => $"{x.c.Name} {x.c.Orders.Count}").ToListAsync(Token));
        Assert.Equal(
            ["Ann", ""],
            await db.Customers.Where(c => c.Id < 3).LeftJoin(db.Passports, c => c.Id, p => p.CustomerId, (c, p) => p!.Customer!.Name ?? "").ToListAsync(Token));
        Assert.Equal(
            ["Ann"], await db.Customers.Join(db.Orders, c => c.Id, o => o.CustomerId, (c, o) => new { c, o }).Where(x => x.o.Lines!.Any(l => l.Product!.Name == "cake")).Select(x => x.c.Name).ToListAsync(Token));
        Assert.Equal(["3"], await db.Customers.GroupJoin(db.Orders, c => c.Id, o => o.CustomerId, (c, orders) => new { c, orders }).Where(x => x.orders.Any(o => o.Agent!.Name == "Pia")).Select(x => $"{x.c.Orders.Count}").ToListAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Operators_after_a_projection_can_use_related_entities(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal([11L, 12, 14], await db.Orders.Select(o => new { o, o.Customer }).Where(x => x.Customer!.Orders.Count > 1).Select(x => x.o.Id).ToListAsync(Token));
        Assert.Equal([11L, 13], await db.Orders.Select(o => new { Order = o, o.Total }).Where(x => x.Order.Lines!.Any()).Select(x => x.Order.Id).ToListAsync(Token));
        Assert.Equal([13L, 11, 12, 14], await db.Orders.Select(o => new { o, o.Customer }).OrderByDescending(x => x.Customer!.Country!.Name == "Finland").ThenBy(x => x.o.Id).Select(x => x.o.Id).ToListAsync(Token));
        Assert.Equal(["Ann", "Bob"], await db.Orders.Select(o => o.Customer!).Distinct().Select(c => c.Name).ToListAsync(Token));
        Assert.Equal(["Sweden", "Finland"], await db.Orders.Select(o => o.Customer!).Distinct().Select(c => c.Country!.Name).ToListAsync(Token));
        Assert.Equal([(0, "Ann"), (1, "Bob")], (await db.Customers.Take(2).Index().Select(x => new { x.Index, First = x.Item.Orders.OrderBy(o => o.Id).First().Customer!.Name }).ToListAsync(Token)).Select(x => (x.Index, x.First)));
        Assert.Equal(["3,1", "0"], await db.Customers.Chunk(2).Select(chunk => string.Join(',', chunk.Select(c => c.Orders.Count).ToList())).ToListAsync(Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Set_operators_can_use_related_entities_as_keys(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal([11L, 13], (await db.Orders.DistinctBy(o => o.Customer!.Name).ToListAsync(Token)).Select(o => o.Id));
        Assert.Equal([11L, 12], (await db.Orders.TakeWhile(o => o.Customer!.Name == "Ann").ToListAsync(Token)).Select(o => o.Id));
        Assert.Equal([13L, 14], (await db.Orders.SkipWhile(o => o.Customer!.Name == "Ann").ToListAsync(Token)).Select(o => o.Id));
        Assert.Equal([14L, 13], (await db.Orders.Where(o => o.Id == 14).UnionBy(db.Orders, o => o.Customer!.Name).ToListAsync(Token)).Select(o => o.Id));
        Assert.Equal([13L], (await db.Orders.ExceptBy(["Ann"], o => o.Customer!.Name).ToListAsync(Token)).Select(o => o.Id));
        Assert.Equal([13L], (await db.Orders.IntersectBy(["Bob"], o => o.Customer!.Name).ToListAsync(Token)).Select(o => o.Id));
        Assert.Equal(13, (await db.Orders.MaxByAsync(o => o.Customer!.Rank, Token))!.Id);
        Assert.Equal(4, db.ChangeTracker.Entries<Order>().Count);
        Assert.Empty(db.ChangeTracker.Entries<Customer>());
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Updates_can_compute_values_from_related_entities(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        Assert.Equal(3, await db.Customers.ExecuteUpdateAsync(s => s.SetProperty(c => c.Rank, c => c.Orders.Count + 10), Token));
        Assert.Equal([13, 11, 10], await db.Customers.Select(c => c.Rank).ToListAsync(Token));
        Assert.Equal(3, await db.Orders.Where(o => o.Agent != null).ExecuteUpdateAsync(s => s.SetProperty(o => o.Total, o => o.Agent!.Manager!.Name == "Max" ? o.Customer!.Rank : 0), Token));
        Assert.Equal([13m, 20, 11, 13], await db.Orders.Select(o => o.Total).ToListAsync(Token));
        var error = await Assert.ThrowsAsync<ArgumentException>(() => db.Orders.ExecuteUpdateAsync(s => s.SetProperty(o => o.Customer!.Name, "x"), Token));
        Assert.Contains("a related entity", error.Message, StringComparison.Ordinal);
        error = await Assert.ThrowsAsync<ArgumentException>(() => db.Orders.ExecuteUpdateAsync(s => s.SetProperty(o => o.Id, 1L), Token));
        Assert.Contains("is the key of Order", error.Message, StringComparison.Ordinal);
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Opaque_condition_or_order_is_refused_if_it_may_use_related_entities_that_are_not_loaded(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        foreach (var make in (Func<object>[])
                 [
                     () => db.Customers.Where(c => c.HasOrders), () => db.Customers.OrderBy(c => c.Spent()), () => db.Customers.Where(c => IsGood(c)), () => db.Orders.Where(o => o.Customer!.HasOrders),
                     () => db.Orders.OrderBy(o => o.Id).ThenBy(o => o.Customer!.Spent()), () => db.Customers.CountAsync(c => c.HasOrders, Token), () => db.Customers.GroupBy(c => c.HasOrders),
                     () => db.Customers.SelectMany(c => Several(c)), () => db.Customers.DistinctBy(c => c.Spent()), () => db.Customers.Join(db.Passports, c => c.HasOrders ? c.Id : 0, p => p.CustomerId, (c, p) => c.Id),
                 ])
        {
            var error = Assert.Throws<InvalidOperationException>(make);
            Assert.Contains("cannot analyze", error.Message, StringComparison.Ordinal);
            Assert.Contains("Include(e => e.", error.Message, StringComparison.Ordinal);
        }
        Assert.Equal([1L, 2], await db.Customers.Include(c => c.Orders).Where(c => c.HasOrders).Select(c => c.Id).ToListAsync(Token));
        Assert.Equal(["Cid", "Bob", "Ann"], (await db.Customers.Include(c => c.Orders).OrderBy(c => c.Spent()).ToListAsync(Token)).Select(c => c.Name));
        Assert.Equal([11L, 12, 14], await db.Orders.Where(o => IsAnn(o.Customer!.Name)).Select(o => o.Id).ToListAsync(Token));
        Assert.Equal(3, await db.Customers.CountAsync(c => c != null && c.Equals(c) && c.ToString() != null, Token));
    }

    [Theory, MemberData(nameof(Stores))]
    public async Task Queryables_support_related_entities_updates_and_deletes(string provider)
    {
        await using var node = await FilledAsync(provider);
        await using var db = NewContext(node);
        IQueryable<Customer> customers = db.Customers.AsQueryable();
        var ann = await customers.Where(c => c.Id == 1).Include(c => c.Country).Include(c => c.Orders.Where(o => o.Total > 6)).ThenInclude(o => o.Lines!).ThenInclude(l => l.Product).SingleAsync(Token);
        Assert.Equal(("Sweden", 2), (ann.Country!.Name, ann.Orders.Count));
        Assert.Equal(["cake", "tea"], ann.Orders.SelectMany(o => o.Lines!).Select(l => l.Product!.Name).Order());
        Assert.Equal(["Ann 3", "Bob 1"], await customers.SelectMany(c => c.Orders, (c, o) => c.Name).GroupBy(name => name).Select(g => $"{g.Key} {g.Count()}").ToListAsync(Token));
        Assert.Equal(["Ann 35", "Bob 30"], await db.Orders.AsQueryable().GroupBy(o => o.Customer!.Name).Select(g => $"{g.Key} {g.Sum(o => o.Total)}").ToListAsync(Token));
        Assert.Equal(2, await customers.Where(c => c.Orders.Any()).WithConsistency(Consistency.All).ExecuteUpdateAsync(s => s.SetProperty(c => c.Rank, c => c.Orders.Count), Token));
        Assert.Equal([3, 1, 1], await customers.Select(c => c.Rank).ToListAsync(Token));
        Assert.Equal(1, await customers.Where(c => !c.Orders.Any()).ExecuteDeleteAsync(Token));
        Assert.Equal(2, await customers.CountAsync(Token));
        Assert.Contains("not a Datacake query", Assert.Throws<InvalidOperationException>(() => new[] { ann }.AsQueryable().Include(c => c.Country)).Message, StringComparison.Ordinal);
    }

    static bool IsGood(Customer customer) => customer.Orders.Count > 0;

    static List<Order> Several(Customer customer) => customer.Orders;

    static bool IsAnn(string name) => name == "Ann";
}
