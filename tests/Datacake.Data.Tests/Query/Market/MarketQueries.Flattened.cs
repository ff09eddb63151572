namespace Datacake.Data.Tests.Query.Market;

public sealed partial class MarketQueries
{
    void AddFlattened()
    {
        Add(m => m.Customers.SelectMany(c => c.Notes));
        Add(m => m.Customers.SelectMany(c => c.Tags.OrderBy(t => t)));
        Add(m => m.Customers.SelectMany(c => c.Notes, (c, n) => new { c.Id, n }));
        Add(m => m.Customers.SelectMany(c => c.Notes, (c, n) => new { c, n }).Where(r => r.c.City == "zug" && r.n.Length > 2).Select(r => r.n));
        Add(m => m.Customers.SelectMany(c => c.Notes.DefaultIfEmpty(), (c, n) => new { c.Name, n }).OrderBy(r => r.n));
        Add(m => from c in m.Customers from n in c.Notes where c.IsActive && n.StartsWith('o') orderby n select new { c.Name, n });
        Add(m => from c in m.Customers from n in c.Notes group c by n into g orderby g.Key select new { g.Key, Count = g.Count() });
        Add(m => from c in m.Customers from t in c.Tags.OrderBy(t => t) from n in c.Notes select new { c.Id, t, n });
        Add(m => from p in m.Products from e in m.Employees select new { p.Id, Employee = e.Id });
        Add(m => from p in m.Products from e in m.Employees where p.Id < 12 && e.Team == "team 1" select new { p, e });
        Add(m => from p in m.Products from e in m.Employees where p.Id == e.Id select new { p.Name, Other = e.Name });
        Add(m => from p in m.Products.Take(3) from e in m.Employees.OrderBy(e => e.Name).Take(2) orderby p.Price descending select new { p.Price, e.Name });
        Add(m => from c in m.Customers from o in m.Orders.Where(o => o.CustomerId == c.Id) select new { c.Name, o.Id });
        Add(m => from c in m.Customers where c.Rank == 3 from o in m.Orders.Where(o => o.CustomerId == c.Id && o.Total > 20).OrderBy(o => o.Total).Take(2) select new { c, o });
        Add(m => from c in m.Customers from o in m.Orders.Where(o => o.CustomerId == c.Id).DefaultIfEmpty() select new { c.Id, Total = o == null ? 0 : o.Total });
        Add(m => m.Customers.Take(5).SelectMany(c => m.Orders.Where(o => o.Id == c.Id)));
        Add(m => m.Customers.SelectMany(c => new[] { c.Name, c.City }));
    }

    void AddCombined()
    {
        var local = new[] { 3, 6, 7 };
        Add(m => m.Customers.Where(c => c.Rank == 1).Concat(m.Customers.Where(c => c.City == "zug")));
        Add(m => m.Customers.Where(c => c.Rank == 1).Union(m.Customers.Where(c => c.City == "zug" || c.Rank == 1)));
        Add(m => m.Customers.Except(m.Customers.Where(c => c.IsActive)));
        Add(m => m.Customers.Intersect(m.Customers.Where(c => c.IsActive)));
        Add(m => m.Customers.Select(c => c.Name).Union(m.Employees.Select(e => e.Name)));
        Add(m => m.Customers.Select(c => c.Name).Concat(m.Employees.Select(e => e.Name)).OrderBy(n => n));
        Add(m => m.Customers.Select(c => c.Name).Intersect(m.Employees.Select(e => e.Name)));
        Add(m => m.Customers.Select(c => c.Name).Except(m.Employees.Select(e => e.Name)));
        Add(m => m.Customers.Select(c => new { c.City, c.Rank }).Union(m.Customers.Select(c => new { c.City, Rank = (int?)0 })));
        Add(m => m.Products.Select(p => p.Id).Union(local));
        Add(m => m.Products.Select(p => p.Id).Except(local));
        Add(m => m.Products.Select(p => p.Id).Intersect(local));
        Add(m => m.Products.Select(p => p.Id).Concat(local));
        Add(m => m.Products.UnionBy(m.Products.OrderByDescending(p => p.Id), p => p.Category));
        Add(m => m.Products.ExceptBy(local, p => p.Id));
        Add(m => m.Products.IntersectBy(local, p => p.Id));
        Add(m => m.Products.ExceptBy(m.Lines.Select(l => l.ProductId), p => p.Id));
        Add(m => m.Products.IntersectBy(m.Lines.Select(l => l.ProductId), p => p.Id).OrderBy(p => p.Price));
        Add(m => m.Products.Zip(m.Employees));
        Add(m => m.Products.Zip(m.Employees, (p, e) => new { p.Price, e.Name }));
        Add(m => m.Products.Select(p => p.Id).Zip(local));
        Add(m => m.Products.Select(p => p.Id).Append(5).Prepend(4));
        Add(m => m.Employees.Where(e => e.Team == "team 1").Concat(m.Employees.Where(e => e.Team == "team 2")).GroupBy(e => e.Team).Select(g => new { g.Key, Count = g.Count() }));
        Add(m => m.Employees.Concat(m.Employees).Distinct());
        Add(m => m.Employees.Where(e => e.ManagerId != null).Concat(m.Employees).GroupBy(e => e).Select(g => new { g.Key.Id, Count = g.Count() }));
        Add(m => m.Employees.Where(e => e.ManagerId == 1).Concat(m.Employees.Where(e => e.ManagerId == 2)).Where(e => e.Id > 5).Select(e => e.Name));
        Add(m => m.Customers.Index().Where(i => i.Index % 2 == 1).Select(i => i.Item.Name));
        Add(m => m.Customers.Chunk(5).Select(chunk => chunk.Length));
    }
}
