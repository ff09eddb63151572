using System.Globalization;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Operators;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>Tests of what query operators read and track, and of the indexes they use.</summary>
[Collection(QueriedMarket.Tests)]
public sealed class OperatorTests(QueriedMarket market)
{
    static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Grouped_projection_tracks_nothing_and_reads_the_properties_that_it_uses()
    {
        await using var db = market.NewContext();
        var sums = await db.Orders.GroupBy(o => o.State).Select(g => new { g.Key, Sum = g.Sum(o => o.Total), Count = g.Count(o => o.CustomerId > 3) }).ToListAsync(Token);
        Assert.Equal(
            market.Data.Orders.GroupBy(o => o.State).Select(g => new { g.Key, Sum = g.Sum(o => o.Total), Count = g.Count(o => o.CustomerId > 3) }), sums);
        Assert.Empty(db.ChangeTracker.Entries());

        // This query returns the entities themselves after its analysis, so that they show which properties were read.
        var read = new List<Order>();
        var narrowed = db.Orders.GroupBy(o => o.State).Operator.ForUse([ItemExpression.Of(Lambda<IGrouping<OrderState, Order>, decimal>(g => g.Sum(o => o.Total)))]);
        await foreach (var batch in narrowed.RunAsync(Token))
            read.AddRange(batch.SelectMany(group => group));
        Assert.Equal(market.Data.Orders.Sum(o => o.Total), read.Sum(o => o.Total));
        Assert.All(read, order => Assert.Equal((0L, default), (order.CustomerId, order.Placed)));
        Assert.Empty(db.ChangeTracker.Entries());
    }

    [Fact]
    public async Task Entities_in_groups_are_tracked()
    {
        await using var db = market.NewContext();
        var groups = await db.Customers.Where(c => c.Id < 20).GroupBy(c => c.City).ToListAsync(Token);
        Assert.Equal(groups.SelectMany(group => group).Count(), db.ChangeTracker.Entries().Count);
        var first = groups.ConvertAll(group => group.First())[0];
        first.Name = "changed here";
        Assert.Same(first, (await db.Customers.GroupBy(c => c.City, (_, all) => all.First()).ToListAsync(Token))[0]);
    }

    [Fact]
    public async Task Groups_and_joins_use_stored_values()
    {
        await using var db = market.NewContext();
        var order = await db.Orders.FirstAsync(Token);
        (long stored, order.CustomerId) = (order.CustomerId, -1);
        var groups = await db.Orders.GroupBy(o => o.CustomerId).ToListAsync(Token);
        Assert.Contains(order, groups.Single(group => group.Key == stored));
        Assert.DoesNotContain(groups, group => group.Key == -1);
        var joined = await db.Orders.LeftJoin(db.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o, c }).FirstAsync(Token);
        Assert.Same(order, joined.o);
        Assert.Equal(market.Data.Customers.Find(c => c.Id == stored)?.Id, joined.c?.Id);
    }

    [Fact]
    public async Task Join_tracks_only_the_entities_in_its_results()
    {
        await using var db = market.NewContext();
        Assert.NotEmpty(await db.Orders.Join(db.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o.Id, c.Name }).ToListAsync(Token));
        Assert.Empty(db.ChangeTracker.Entries());
        var customers = await db.Orders.Join(db.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o.Id, c }).ToListAsync(Token);
        Assert.Equal(customers.Select(row => row.c).Distinct().Count(), db.ChangeTracker.Entries<Customer>().ToList().Count);
        Assert.Empty(db.ChangeTracker.Entries<Order>());
        Assert.Equal(customers.Select(row => row.c.Id).Distinct().Count(), customers.Select(row => row.c).Distinct().Count());
    }

    [Fact]
    public async Task Conditions_and_orders_after_a_projection_use_indexes()
    {
        await using var db = market.NewContext();
        Expect("indexed customers: index City where City = 'zug'; select", db.Customers.Select(c => new { c.Id, c.City }).Where(r => r.City == "zug"));
        Expect("indexed customers: index City where City = 'zug'; select", from c in db.Customers let city = c.City where city == "zug" select new { c.Name, city });
        Expect(
            "indexed orders: index State_Placed where State = Paid; order by Placed; skip 2 in the index; take 3; select",
            db.Orders.Select(o => new { o.Id, o.Placed, o.State }).Where(r => r.State == OrderState.Paid).OrderBy(r => r.Placed).Skip(2).Take(3));
        Expect("indexed customers: full scan; select", db.Customers.Select(c => new Shouted { City = c.City }).Where(r => r.City == "ZUG"));
        // An expression that could throw is evaluated for all items, as it is in memory.
        Expect("indexed customers: full scan; select", db.Customers.Select(c => new { Share = 10 / c.Id, c.City }).Where(r => r.City == "zug"));
        Assert.Equal(
            market.Data.Customers.Count(c => c.City == "zug"), await db.Customers.Select(c => new Shouted { City = c.City }).CountAsync(r => r.City == "ZUG", Token));

        static void Expect<T>(string plan, Query<T> query) => Assert.StartsWith(plan, query.Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Conditions_and_orders_of_a_join_are_pushed_down_to_the_side_they_use()
    {
        await using var db = market.NewContext();
        var query =
            from o in db.Orders
            join c in db.Customers on o.CustomerId equals c.Id
            where o.State == OrderState.Paid && c.City == "zug"
            orderby o.Placed
            select new { o.Id, c.Name };
        Assert.StartsWith(
            "indexed orders: index State_Placed where State = Paid; order by Placed; join (indexed customers: index City where City = 'zug') on o.CustomerId = c.Id; select",
            query.Explain(), StringComparison.Ordinal);
        var mixed = db.Orders.Join(db.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o, c }).Where(r => r.o.Total == 4 && r.o.Id > r.c.Id);
        Assert.StartsWith("indexed orders: index Total where Total = 4; join (indexed customers: full scan) on o.CustomerId = c.Id; where", mixed.Explain(), StringComparison.Ordinal);
        Assert.StartsWith("indexed orders: index CustomerId where CustomerId = 4; join", db.Orders.Join(db.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o, c })
            .Where(r => r.o.Id > r.c.Id).Where(r => r.o.CustomerId == 4).Explain(), StringComparison.Ordinal);
        var left = db.Orders.LeftJoin(db.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o, c }).Where(r => r.o.Total == 4 && r.c == null);
        Assert.StartsWith("indexed orders: index Total where Total = 4; left join (indexed customers: full scan) on o.CustomerId = c.Id; where", left.Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Join_looks_up_entities_by_key_or_index()
    {
        await using var db = market.NewContext();
        Assert.True(await IsLookedUpAsync(db.Customers, Lambda<Customer, long>(c => c.Id)));
        Assert.True(await IsLookedUpAsync(db.Orders, Lambda<Order, long>(o => o.CustomerId)));
        Assert.True(await IsLookedUpAsync(db.Orders.Where(o => o.Total > 3).Select(o => new { Of = o.CustomerId, o.Total }), r => r.Of));
        Assert.True(await IsLookedUpAsync(db.Lines, Lambda<Line, long>(l => l.OrderId)));
        Assert.False(await IsLookedUpAsync(db.Lines, Lambda<Line, int>(l => l.Quantity)));
        Assert.False(await IsLookedUpAsync(db.Orders.Take(5), Lambda<Order, long>(o => o.CustomerId)));

        async Task<bool> IsLookedUpAsync<T, TKey>(Query<T> inner, System.Linq.Expressions.Expression<Func<T, TKey>> key)
        {
            using var snapshot = await inner.Operator.OpenSnapshotAsync(Token);
            return inner.Operator.At(snapshot!).CanLookUp(ItemExpression.Of(key));
        }
    }

    [Fact]
    public async Task Last_and_Reverse_read_an_index_backward()
    {
        await using var db = market.NewContext();
        Assert.Equal("indexed orders: full scan, descending; reverse; take 1", db.Orders.Reverse().Take(1).Explain());
        Assert.Equal("indexed orders: index Total, descending; order by Total descending; take 2", db.Orders.OrderBy(o => o.Total).Reverse().Take(2).Explain());
        Assert.Equal(market.Data.Orders.OrderBy(o => o.Total).Last().Id, (await db.Orders.OrderBy(o => o.Total).LastAsync(Token)).Id);
        Assert.Single(db.ChangeTracker.Entries());

        var store = await EventualConsistency.DatacakeNodeStoreExtensions.OpenStoreAsync(db.Node, Token);
        using var snapshot = await store.OpenSnapshotAsync(Token);
        var run = ((EntityOperator<Order>)db.Orders.Reverse().Take(1).Operator).NewRun();
        await foreach (var rows in run.ReadAsync(snapshot, Token))
            Assert.Equal(market.Data.Orders[^1].Id, Assert.Single(rows).Entity.Id);
        Assert.Equal(1, run.DocumentsRead);
    }

    [Fact]
    public async Task Aggregates_over_joined_and_combined_entities_track_nothing()
    {
        await using var db = market.NewContext();
        Assert.Equal(market.Data.Orders.Count(o => market.Data.Customers.Exists(c => c.Id == o.CustomerId)), await db.Orders.Join(db.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o, c }).CountAsync(Token));
        Assert.True(await db.Orders.Concat(db.Orders).AnyAsync(Token));
        Assert.Equal(market.Data.Orders.Count, await db.Orders.Union(db.Orders).CountAsync(Token));
        Assert.Equal(market.Data.Orders.Count, await db.Orders.AsNoTracking().Union(db.Orders.AsNoTracking()).CountAsync(Token));
        Assert.Equal(0, await db.Orders.AsNoTracking().Except(db.Orders.AsNoTracking()).CountAsync(Token));
        Assert.True(await db.Orders.OrderBy(o => o.Id).SequenceEqualAsync(db.Orders, Token));
        Assert.False(await db.Orders.SequenceEqualAsync(db.Orders.Reverse(), Token));
        Assert.Empty(db.ChangeTracker.Entries());
    }

    [Fact]
    public async Task Both_sides_of_a_join_are_read_from_one_snapshot()
    {
        await using var db = new MarketContext(market.Node) { DefaultConsistency = Consistency.None };
        db.Employees.AddRange(new Employee { Id = 1, Team = "a" }, new Employee { Id = 2, Team = "a" });
        await db.SaveChangesAsync(Token);
        await using var reader = new MarketContext(market.Node);
        var pairs = new List<(int, int)>();
        // Each batch reads the inner side once.
        var query = reader.Employees.AsNoTracking().SelectMany(e => reader.Employees.AsNoTracking().Where(other => other.Team == e.Team && other.Id >= e.Id), (e, other) => ValueTuple.Create(e.Id, other.Id));
        await foreach (var pair in query.WithCancellation(Token))
        {
            pairs.Add(pair);
            if (pairs.Count == 1)
            {
                db.Employees.Add(new Employee { Id = 3, Team = "a" });
                await db.SaveChangesAsync(Token);
            }
        }
        Assert.Equal([(1, 1), (1, 2), (2, 2)], pairs);
        await db.Employees.ExecuteDeleteAsync(Token);
    }

    [Fact]
    public async Task Query_syntax_keeps_the_query_type()
    {
        await using var db = market.NewContext();
        Query<string> flat = from c in db.Customers from n in c.Notes where c.Rank > 1 orderby n select n;
        Assert.Equal(market.Data.Customers.Where(c => c.Rank > 1).SelectMany(c => c.Notes).Order(StringComparer.Ordinal), await flat.ToListAsync(Token));
        Query<IGrouping<string?, Customer>> grouped = from c in db.Customers group c by c.City;
        Assert.Equal(market.Data.Customers.Select(c => c.City).Distinct(), (await grouped.ToListAsync(Token)).Select(group => group.Key));
        db.ChangeTracker.Clear();
        var both = from c in db.Customers from e in db.Employees where c.Id == e.Id select new { Customer = c.Name, Employee = e.Name };
        Assert.Equal(
            from c in market.Data.Customers from e in market.Data.Employees where c.Id == e.Id select new { Customer = c.Name, Employee = e.Name }, await both.ToListAsync(Token));
        var left =
            from o in db.Orders
            join c in db.Customers on o.CustomerId equals c.Id into found
            from c in found.DefaultIfEmpty()
            select new { o.Id, Name = c == null ? "?" : c.Name };
        Assert.Equal(
            from o in market.Data.Orders join c in market.Data.Customers on o.CustomerId equals c.Id into found from c in found.DefaultIfEmpty() select new { o.Id, Name = c == null ? "?" : c.Name },
            await left.ToListAsync(Token));
        Assert.Empty(db.ChangeTracker.Entries());
    }

    [Fact]
    public async Task Every_terminal_operator_returns_its_result()
    {
        await using var db = market.NewContext();
        var data = market.Data.Customers;
        Assert.Equal(data.MinBy(c => c.Rank)!.Id, (await db.Customers.MinByAsync(c => c.Rank, Token))!.Id);
        Assert.Equal(data.MaxBy(c => c.City, StringComparer.Ordinal)!.Id, (await db.Customers.MaxByAsync(c => c.City, Token))!.Id);
        Assert.Equal(data[0].Id, (await db.Customers.MinByAsync(c => (string?)null, Token))!.Id);
        Assert.Null(await db.Customers.Where(c => c.Id < 0).MinByAsync(c => c.Rank, Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Customers.Where(c => c.Id < 0).Select(c => c.Id).MaxByAsync(id => id, Token));
        Assert.Equal(data.Aggregate(0L, (sum, c) => sum + c.Id), await db.Customers.AggregateAsync(0L, (sum, c) => sum + c.Id, Token));
        Assert.Equal(data.Select(c => c.Id).Aggregate((a, b) => a ^ b), await db.Customers.Select(c => c.Id).AggregateAsync((a, b) => a ^ b, Token));
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Customers.Where(c => c.Id < 0).AggregateAsync((a, _) => a, Token));
        Assert.Equal(data.ToLookup(c => c.City)["zug"].Count(), (await db.Customers.ToLookupAsync(c => c.City, Token))["zug"].Count());
        Assert.Equal(data.ToLookup(c => c.City, c => c.Name)["zug"], (await db.Customers.ToLookupAsync(c => c.City, c => c.Name, Token))["zug"]);
        Assert.True((await db.Customers.Select(c => c.City).ToHashSetAsync(Token)).SetEquals(data.Select(c => c.City)));
        Assert.Equal(data[3].Id, (await db.Customers.ElementAtAsync(3, Token)).Id);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => db.Customers.ElementAtAsync(300, Token));
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => db.Customers.ElementAtAsync(-1, Token));
        Assert.True(await db.Customers.ContainsAsync((await db.Customers.FindAsync([data[5].Id], Token))!, Token));
        Assert.True(await db.Customers.ContainsAsync(new Customer { Id = data[5].Id }, Token));
        Assert.False(await db.Customers.ContainsAsync(new Customer { Id = 1 }, Token));
        Assert.Throws<ArgumentOutOfRangeException>(() => db.Customers.Chunk(0));

        var names = new List<string>();
        await db.Customers.ForEachAsync(c => names.Add(c.Name), Token);
        Assert.Equal(data.Select(c => c.Name), names);
        db.ChangeTracker.Clear();
        await db.Customers.LoadAsync(Token);
        Assert.Equal(data.Count, db.ChangeTracker.Entries().Count);
    }

    [Fact]
    public async Task OrderBy_uses_the_given_comparer()
    {
        await using var db = market.NewContext();
        var comparer = StringComparer.Create(CultureInfo.GetCultureInfo("sv-SE"), ignoreCase: true);
        Assert.Equal(
            market.Data.Customers.OrderBy(c => c.Name, comparer).ThenByDescending(c => c.City, comparer).Select(c => c.Id),
            await db.Customers.OrderBy(c => c.Name, comparer).ThenByDescending(c => c.City, comparer).Select(c => c.Id).ToListAsync(Token));
        Assert.Equal(
            market.Data.Customers.OrderByDescending(c => c.Name, comparer).ThenBy(c => c.City, comparer).Last().Id,
            (await db.Customers.OrderByDescending(c => c.Name, comparer).ThenBy(c => c.City, comparer).LastAsync(Token)).Id);
        Assert.Equal(
            market.Data.Customers.Select(c => new { c.Id, c.Name }).OrderBy(r => r.Name, comparer).Select(r => r.Id),
            await db.Customers.Select(c => new { c.Id, c.Name }).OrderBy(r => r.Name, comparer).Select(r => r.Id).ToListAsync(Token));
        Assert.StartsWith("indexed customers: full scan; order by", db.Customers.OrderBy(c => c.Name, comparer).Explain(), StringComparison.Ordinal);
    }

    [Fact]
    public void Synchronous_operators_are_compile_errors_that_name_the_asynchronous_method()
    {
        var synchronous = typeof(Query<Customer>).GetMethods()
            .Where(method => typeof(Query<Customer>).GetMethods().Any(other => other.Name == method.Name + "Async") && !method.Name.EndsWith("Async", StringComparison.Ordinal)).ToList();
        Assert.True(synchronous.Count > 20);
        Assert.All(synchronous, method =>
        {
            var obsolete = Assert.Single(method.GetCustomAttributes(typeof(ObsoleteAttribute), false).Cast<ObsoleteAttribute>());
            Assert.True(obsolete.IsError);
            Assert.Contains($"Await {method.Name}Async()", obsolete.Message, StringComparison.Ordinal);
            Assert.Contains("GroupJoin", obsolete.Message, StringComparison.Ordinal);
        });
    }

    static System.Linq.Expressions.Expression<Func<T, TResult>> Lambda<T, TResult>(System.Linq.Expressions.Expression<Func<T, TResult>> lambda) => lambda;

    sealed class Shouted
    {
        string? _city;

        public string? City
        {
            get => _city?.ToUpperInvariant();
            set => _city = value;
        }
    }
}
