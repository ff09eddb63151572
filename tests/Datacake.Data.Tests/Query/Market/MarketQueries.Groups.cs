namespace Datacake.Data.Tests.Query.Market;

public sealed partial class MarketQueries
{
    void AddGroups()
    {
        Add(m => m.Customers.GroupBy(c => c.City));
        Add(m => m.Customers.GroupBy(c => c.Rank, c => c.Name));
        Add(m => m.Customers.GroupBy(c => c.City, (city, all) => new { city, Count = all.Count(), First = all.First().Name }));
        Add(m => m.Customers.GroupBy(c => c.IsActive, c => c.Rank, (active, ranks) => new { active, Sum = ranks.Sum(), Least = ranks.Min() }));
        Add(m => m.Customers.GroupBy(c => new { c.City, c.IsActive }).Select(g => new { g.Key.City, g.Key.IsActive, Count = g.Count() }));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => new { g.Key, Max = g.Max(c => c.Name), Min = g.Min(c => c.Name) }));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => g.OrderBy(c => c.Name).First()));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => g.OrderByDescending(c => c.Name).ThenBy(c => c.Rank).Select(c => c.Id).First()));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => g.MaxBy(c => c.Name)!.Id));
        Add(m => m.Customers.GroupBy(c => c.City).Where(g => g.Count() > 3).Select(g => g.Key));
        Add(m => m.Customers.GroupBy(c => c.City).Where(g => g.Key == "zug").Select(g => new { g.Key, Names = g.Select(c => c.Name).ToList() }));
        Add(m => m.Customers.GroupBy(c => c.City).Where(g => g.Key == "zug" || g.Any(c => c.Rank == 4)).Select(g => g.Count()));
        Add(m => m.Customers.GroupBy(c => c.City).OrderBy(g => g.Key).Select(g => g.Count(c => c.IsActive)));
        Add(m => m.Customers.GroupBy(c => c.City).OrderByDescending(g => g.Count()).ThenBy(g => g.Key).Select(g => new { g.Key, N = g.Count() }));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => new { g.Key, N = g.Count() }).Where(r => r.N > 2).OrderBy(r => r.Key));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => g.ToList()));
        Add(m => m.Customers.GroupBy(c => c.City).SelectMany(g => g.Take(2)));
        Add(m => m.Customers.GroupBy(c => c.City).SelectMany(g => g.OrderBy(c => c.Name), (g, c) => new { g.Key, c.Name, Of = g.Count() }));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => g.Where(c => c.IsActive).Sum(c => c.Rank)));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => new { All = g.All(c => c.IsActive), Any = g.Any(c => c.Rank == 2), Average = g.Average(c => c.Rank) }));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => g.Select(c => c.Rank).Distinct().Count()));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => string.Join(",", g.Select(c => c.Name))));
        Add(m => m.Customers.GroupBy(c => c.City).Select(g => g.Select(c => c.Home).Count(h => h != null && h.Floor > 0)));
        Add(m => m.Customers.GroupBy(c => c.Rank).Select(g => g.Sum(c => c.Notes.Count)));
        Add(m => m.Customers.GroupBy(c => c.Rank).Select(g => g.Last().Name));
        Add(m => m.Customers.Where(c => c.IsActive).OrderByDescending(c => c.Id).GroupBy(c => c.Rank).Select(g => new { g.Key, Ids = g.Select(c => c.Id).ToArray() }));
        Add(m => m.Customers.Select(c => new { c.City, c.Rank }).GroupBy(r => r.City).Select(g => new { g.Key, Sum = g.Sum(r => r.Rank) }));
        Add(m => m.Customers.GroupBy(c => c.Name.Length % 3));
        Add(m => m.Customers.GroupBy(c => 1).Select(g => new { Count = g.Count(), Max = g.Max(c => c.Since) }));
        Add(m => m.Orders.GroupBy(o => o.CustomerId).Select(g => new { g.Key, Total = g.Sum(o => o.Total), Last = g.Max(o => o.Placed) }));
        Add(m => m.Orders.GroupBy(o => o.State).Select(g => new { g.Key, Mean = g.Average(o => o.Total), g.OrderBy(o => o.Placed).First().Id }));
        Add(m => m.Orders.GroupBy(o => new { o.Placed.Year, o.Placed.Month }).Select(g => new { g.Key.Year, g.Key.Month, Count = g.LongCount() }).OrderBy(r => r.Month));
        Add(m => from o in m.Orders where o.Total > 20 group o by o.CustomerId into g where g.Count() > 1 orderby g.Sum(o => o.Total) descending, g.Key select new { g.Key, Sum = g.Sum(o => o.Total) });
        Add(m => from o in m.Orders group o.Total by o.State into g select new { g.Key, Max = g.Max(), Count = g.Count() });
        Add(m => from p in m.Products group p by p.Category into g orderby g.Key select new { g.Key, Cheapest = g.MinBy(p => p.Price)!.Name, Names = g.OrderBy(p => p.Name).Select(p => p.Name).ToList() });
        Add(m => from p in m.Products group new { p.Name, p.Price } by p.Category into g select new { g.Key, Sum = g.Sum(x => x.Price), Max = g.Max(x => x.Name) });
        Add(m => m.Lines.GroupBy(l => l.OrderId).Select(g => new { g.Key, Quantity = g.Sum(l => l.Quantity), Max = g.Max(l => l.Discount) }));
        Add(m => m.Lines.GroupBy(l => l.OrderId, l => l.ProductId).Where(g => g.Count() == 2).Select(g => g.Max()));
        Add(m => m.Lines.GroupBy(l => l.ProductId).Select(g => g.GroupBy(l => l.Quantity).Select(h => new { h.Key, Count = h.Count() }).ToList()));
        Add(m => m.Employees.GroupBy(e => e.Team).Select(g => new { g.Key, Managers = g.Count(e => e.ManagerId == null) }).OrderByDescending(r => r.Managers));
        AddValue(m => m.Customers.GroupBy(c => c.City), q => q.CountAsync(), q => q.Count());
        AddValue(m => m.Orders.GroupBy(o => o.CustomerId).Select(g => g.Count()), q => q.MaxAsync(), q => q.Max());
        AddValue(m => m.Orders.GroupBy(o => o.CustomerId).Select(g => new { Sum = g.Sum(o => o.Total) }), q => q.AverageAsync(r => r.Sum), q => q.Average(r => r.Sum));
    }
}
