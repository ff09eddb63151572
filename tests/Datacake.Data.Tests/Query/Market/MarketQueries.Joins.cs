namespace Datacake.Data.Tests.Query.Market;

public sealed partial class MarketQueries
{
    void AddJoins()
    {
        Add(m => m.Orders.Join(m.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o.Id, c.Name }));
        Add(m => m.Orders.Join(m.Customers, o => o.CustomerId, c => c.Id, (o, c) => c));
        Add(m => m.Orders.Join(m.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o, c }));
        Add(m => m.Customers.Join(m.Orders, c => c.Id, o => o.CustomerId, (c, o) => new { c.Name, o.Total }));
        Add(m => m.Customers.Join(m.Orders.Where(o => o.State == OrderState.Paid), c => c.Id, o => o.CustomerId, (c, o) => new { c.Name, o.Id }));
        Add(m => m.Customers.Join(m.Orders.OrderByDescending(o => o.Total), c => c.Id, o => o.CustomerId, (c, o) => new { c.Id, o.Total }));
        Add(m => m.Customers.Join(m.Orders.Take(20), c => c.Id, o => o.CustomerId, (c, o) => new { c.Id, Order = o.Id }));
        Add(m => m.Customers.Join(m.Customers, c => c.ReferrerId, r => (long?)r.Id, (c, r) => new { c.Name, By = r.Name }));
        Add(m => m.Employees.Join(m.Employees, e => e.ManagerId, b => (int?)b.Id, (e, b) => new { e, b }));
        Add(m => m.Employees.LeftJoin(m.Employees, e => e.ManagerId, b => (int?)b.Id, (e, b) => new { e.Name, Boss = b == null ? null : b.Name }));
        Add(m => m.Employees.RightJoin(m.Employees, e => e.ManagerId, b => (int?)b.Id, (e, b) => new { Name = e == null ? "-" : e.Name, Boss = b.Name }));
        Add(m => m.Orders.LeftJoin(m.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o.Id, c }));
        Add(m => m.Orders.LeftJoin(m.Customers, o => o.CustomerId, c => c.Id, (o, c) => c).Where(c => c != null && c.IsActive));
        Add(m => m.Orders.RightJoin(m.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { Order = o == null ? 0 : o.Id, c.Name }).OrderBy(r => r.Order));
        Add(m => m.Customers.GroupJoin(m.Orders, c => c.Id, o => o.CustomerId, (c, all) => new { c.Name, Count = all.Count(), Sum = all.Sum(o => o.Total) }));
        Add(m => m.Customers.GroupJoin(m.Orders, c => c.Id, o => o.CustomerId, (c, all) => new { c, Orders = all.ToList() }));
        Add(m => m.Customers.GroupJoin(m.Orders, c => c.Id, o => o.CustomerId, (c, all) => new { c, all }).Where(r => r.c.IsActive).Select(r => new { r.c.Id, Last = r.all.OrderBy(o => o.Placed).LastOrDefault() }));
        Add(m => m.Orders.GroupJoin(m.Lines, o => o.Id, l => l.OrderId, (o, lines) => new { o.Id, Quantity = lines.Sum(l => l.Quantity), Products = lines.Select(l => l.ProductId).ToList() }));
        Add(m => m.Orders.Join(m.Lines, o => o.Id, l => l.OrderId, (o, l) => new { o.Placed, l.Quantity, l.Number }).Where(r => r.Quantity > 3).OrderBy(r => r.Placed));
        Add(m => m.Lines.Join(m.Products, l => l.ProductId, p => p.Id, (l, p) => new { l.OrderId, p.Name, Price = p.Price * l.Quantity }).OrderByDescending(r => r.Price).ThenBy(r => r.Name));
        Add(m => m.Lines.Join(m.Lines, l => new { l.OrderId, l.Quantity }, k => new { k.OrderId, k.Quantity }, (l, k) => new { l, k }).Where(r => r.l.Number < r.k.Number));
        Add(m => m.Customers.Join(m.Employees, c => c.Name, e => e.Name, (c, e) => new { c.Id, Employee = e.Id }));
        Add(m => m.Products.Join(m.Products, p => p.Category, q => q.Category, (p, q) => new { A = p.Id, B = q.Id, p.Price }).Where(r => r.A < r.B && r.Price > 10));
        Add(m => m.Customers.Join(m.Orders.Select(o => new { o.CustomerId, o.Total }), c => c.Id, o => o.CustomerId, (c, o) => new { c.City, o.Total }));
        Add(m => m.Customers.Join(m.Orders.GroupBy(o => o.CustomerId).Select(g => new { g.Key, Sum = g.Sum(o => o.Total) }), c => c.Id, g => g.Key, (c, g) => new { c.Name, g.Sum }));
        Add(m => m.Customers.Where(c => c.Rank == 2).Take(3).Join(m.Orders, c => c.Id, o => o.CustomerId, (c, o) => new { c.Id, o.Total }));
        Add(m => m.Customers.Join(new long[] { 4, 8, 8, 99 }, c => c.Id, id => id, (c, id) => new { c.Name, id }));
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id where c.City == "zug" select new { o.Id, c.Name });
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id where o.State == OrderState.Paid && c.IsActive && o.Total > 10 orderby c.Name, o.Placed select new { o.Id, c.Name });
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id orderby o.State, o.Placed select new { o.State, c.Id });
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id orderby o.State, c.Name select new { o.State, o.Id, c.Name });
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id where o.Total > c.Id select o);
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id where c.Home!.Floor == 1 select o.Id);
        Add(m => from c in m.Customers join o in m.Orders on c.Id equals o.CustomerId into all where c.Rank == 1 select new { c.Id, Total = all.Sum(o => o.Total), Paid = all.Any(o => o.State == OrderState.Paid) });
        Add(m => from c in m.Customers join o in m.Orders on c.Id equals o.CustomerId into all from o in all.DefaultIfEmpty() select new { c.Name, Order = o == null ? 0 : o.Id });
        Add(m => from c in m.Customers join o in m.Orders on c.Id equals o.CustomerId into all from o in all where o.Total > 30 && c.IsActive select new { c.Name, o.Total });
        Add(m => from c in m.Customers join o in m.Orders on c.Id equals o.CustomerId into all from o in all.OrderBy(o => o.Placed).Take(1) select new { c.Id, o });
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id join l in m.Lines on o.Id equals l.OrderId join p in m.Products on l.ProductId equals p.Id where p.Category == "tea" select new { c.Name, o.Placed, p.Price, l.Quantity });
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id group o by c.City into g orderby g.Key select new { g.Key, Sum = g.Sum(o => o.Total) });
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id group new { o.Total, c.Name } by c.City into g select new { g.Key, Most = g.Max(x => x.Total), First = g.Min(x => x.Name) });
        Add(m => from o in m.Orders join e in m.Employees on o.EmployeeId equals (int?)e.Id into es from e in es.DefaultIfEmpty() where o.State == OrderState.Open orderby o.Total descending select new { o.Id, Team = e == null ? "none" : e.Team });
        Add(m => from o in m.Orders join c in m.Customers on o.CustomerId equals c.Id let total = o.Total where total > 100 select new { c.Name, total });
        AddValue(m => m.Orders.LeftJoin(m.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o.Id, c!.Name }), q => q.ToListAsync(), q => q.ToList());
        AddValue(m => m.Orders.Join(m.Customers, o => o.CustomerId, c => c.Id, (o, c) => new { o.Total, c.IsActive }).Where(r => r.IsActive), q => q.SumAsync(r => r.Total), q => q.Sum(r => r.Total));
    }
}
