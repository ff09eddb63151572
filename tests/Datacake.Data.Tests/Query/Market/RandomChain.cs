namespace Datacake.Data.Tests.Query.Market;

/// <summary>The input and output type of every operator in a chain.</summary>
public sealed class Row
{
    public long Id { get; set; }
    public string? Name { get; set; }
    public string? City { get; set; }
    public int? Rank { get; set; }
    public decimal Total { get; set; }
}

/// <summary>A random chain of operators over the same market in a store and in memory.</summary>
sealed class RandomChain(int seed)
{
    public string Description { get; private set; } = "";

    public IQueryable<Row> Over(MarketSources market)
    {
        // Both queries use the same random choices.
        var random = new Random(seed);
        Description = "";
        var rows = Start(market, random.Next(5));
        int joins = 0;
        for (int i = random.Next(7); i > 0; i--)
        {
            int operation = random.Next(30);
            if (operation >= 25 && ++joins > 1)
                operation -= 25;
            int number = random.Next(5);
            Description += $" {operation}({number})";
            rows = Next(market, rows, operation, number);
        }
        return rows;
    }

    IQueryable<Row> Start(MarketSources market, int kind)
    {
        Description += $"start {kind}:";
        return kind switch
        {
            0 => market.Customers.Select(c => new Row { Id = c.Id, Name = c.Name, City = c.City, Rank = c.Rank }),
            1 => market.Orders.Select(o => new Row { Id = o.Id, Name = o.State.ToString(), Rank = o.EmployeeId, Total = o.Total }),
            2 => market.Customers.Where(c => c.IsActive).OrderBy(c => c.City).Select(c => new Row { Id = c.Id, Name = c.Home == null ? null : c.Home.Street, City = c.City, Rank = c.Rank }),
            3 => from o in market.Orders join c in market.Customers on o.CustomerId equals c.Id select new Row { Id = o.Id, Name = c.Name, City = c.City, Rank = c.Rank, Total = o.Total },
            _ => market.Products.Select(p => new Row { Id = p.Id, Name = p.Name, City = p.Category, Rank = p.Stock, Total = p.Price }),
        };
    }

    static IQueryable<Row> Next(MarketSources market, IQueryable<Row> rows, int operation, int number)
    {
        string city = number < 3 ? "zug" : "tea";
        return operation switch
        {
            0 => rows.Where(r => r.Rank == number),
            1 => rows.Where(r => r.City == city),
            2 => rows.Where(r => r.Id > number * 7),
            3 => rows.Where(r => r.Total >= number * 20),
            4 => rows.Where(r => string.CompareOrdinal(r.Name, "b") > 0 || r.Rank == null),
            5 => rows.OrderBy(r => r.Name),
            6 => rows.OrderByDescending(r => r.Rank).ThenBy(r => r.City),
            7 => rows.OrderBy(r => r.City).ThenByDescending(r => r.Total),
            8 => rows.OrderByDescending(r => r.Total),
            9 => rows.OrderBy(r => r.Id),
            10 => rows.Skip(number),
            11 => rows.Take(number * 5),
            12 => rows.TakeLast(number * 4),
            13 => rows.SkipLast(number),
            14 => rows.Reverse(),
            15 => rows.Select(r => new Row { Id = r.Id, Name = r.City, City = r.Name, Rank = r.Rank, Total = r.Total }),
            16 => rows.Select(r => new Row { Id = r.Id, Name = r.Name, City = r.City, Rank = r.Rank + 1, Total = r.Total * 2 }),
            17 => rows.DistinctBy(r => r.City),
            18 => rows.Concat(rows.Where(r => r.Rank == number)),
            19 => rows.ExceptBy(market.Customers.Where(c => c.IsActive).Select(c => c.Id), r => r.Id),
            20 => rows.TakeWhile(r => r.Id < number * 30),
            21 => rows.Select(r => new { r, Long = r.Total > 50 }).Where(x => x.Long || x.r.Rank == number).Select(x => x.r),
            22 => rows.UnionBy(rows.OrderBy(r => r.Name), r => r.Rank),
            23 => rows.SkipWhile(r => r.Rank != number),
            24 => rows.GroupBy(r => r.City).Select(g => new Row { Id = g.Min(r => r.Id), City = g.Key, Name = g.Max(r => r.Name), Rank = g.Count(), Total = g.Sum(r => r.Total) }),
            25 => rows.Join(market.Orders, r => r.Id, o => o.CustomerId, (r, o) => new Row { Id = o.Id, Name = r.Name, City = r.City, Rank = r.Rank, Total = o.Total }),
            26 => rows.LeftJoin(market.Employees, r => r.Rank, e => e.ManagerId, (r, e) => new Row { Id = r.Id, Name = e == null ? null : e.Name, City = r.City, Rank = r.Rank, Total = r.Total }),
            27 => rows.GroupJoin(market.Lines, r => r.Id, l => l.OrderId, (r, all) => new Row { Id = r.Id, Name = r.Name, City = r.City, Rank = all.Count(), Total = all.Sum(l => l.Discount) }),
            28 => rows.RightJoin(market.Customers, r => r.Id, c => c.Id, (r, c) => new Row { Id = c.Id, Name = c.Name, City = r == null ? "none" : r.City, Rank = c.Rank, Total = r == null ? 0 : r.Total }),
            _ => rows.SelectMany(r => market.Employees.Where(e => e.Id < 4), (r, e) => new Row { Id = r.Id, Name = e.Name, City = r.City, Rank = r.Rank, Total = r.Total }),
        };
    }
}
