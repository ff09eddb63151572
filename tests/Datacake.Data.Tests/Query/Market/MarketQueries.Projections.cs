namespace Datacake.Data.Tests.Query.Market;

public sealed partial class MarketQueries
{
    public sealed class CustomerRow
    {
        public long Id { get; set; }
        public string? Place { get; set; }
        public string? Street { get; set; }
        public int Rank { get; set; }
    }

    public sealed record NameAndCity(string Name, string? City);

    void AddProjections()
    {
        string city = "izmit";
        Add(m => m.Customers.Select(c => c.Name));
        Add(m => m.Customers.Select(c => c.City).Distinct());
        Add(m => m.Customers.Select(c => new { c.Id, c.City }).Where(r => r.City == city));
        Add(m => m.Customers.Select(c => new { c.Id, c.City, c.Rank }).Where(r => r.Rank > 1).OrderBy(r => r.City).ThenByDescending(r => r.Id));
        Add(m => m.Customers.Select(c => new { c, Long = c.Name.Length > 4 }).Where(r => r.Long).Select(r => r.c));
        Add(m => m.Customers.Select(c => new CustomerRow { Id = c.Id, Place = c.City, Rank = c.Rank ?? 0, Street = c.Home == null ? null : c.Home.Street }).Where(r => r.Place == city || r.Rank == 3));
        Add(m => m.Customers.Select(c => new CustomerRow { Id = c.Id, Place = c.City, Street = c.Home == null ? null : c.Home.Street }).OrderBy(r => r.Street).ThenBy(r => r.Place));
        Add(m => m.Customers.Select(c => new NameAndCity(c.Name, c.City)).Where(r => r.City == "zug").OrderBy(r => r.Name));
        Add(m => m.Customers.Select(c => new NameAndCity(c.Name, c.City)).Distinct().OrderBy(r => r.Name));
        Add(m => m.Customers.Select(c => new { A = new { c.Name, c.Rank }, c.Id }).Where(r => r.A.Rank == 2).Select(r => r.A.Name));
        Add(m => m.Customers.Select(c => new { c.Home, c.Id }).Where(r => r.Home != null).Select(r => new { r.Id, r.Home!.Floor }));
        Add(m => m.Customers.Where(c => c.Home != null).Select(c => c.Home!.Street).OrderBy(s => s));
        Add(m => m.Customers.Select(c => c.Home!.Floor));
        Add(m => m.Customers.Select(c => new { c.Id, c.Home!.Floor }).Where(r => r.Id == 4));
        Add(m => m.Customers.Select(c => c.Name.Length).Order());
        Add(m => m.Customers.Select(c => c.Name).OrderDescending());
        Add(m => m.Customers.Select(c => c.Name.Length).Distinct().OrderByDescending(n => n));
        Add(m => m.Customers.Select(c => c.Rank).Where(r => r != null).Select(r => r!.Value * 2));
        Add(m => m.Customers.Select(c => c.Notes.OrderByDescending(n => n).FirstOrDefault()));
        Add(m => m.Customers.Select(c => c.Tags.Min()));
        Add(m => m.Customers.Select(c => c.Notes.Count));
        Add(m => m.Customers.Select(c => new { c.Id, c.Notes, c.Tags }));
        Add(m => m.Customers.Select(c => c.Id * 2 + (c.IsActive ? 1 : 0)).Where(n => n % 3 == 0));
        Add(m => from c in m.Customers let length = c.Name.Length where length > 3 orderby c.City, length select new { c.Name, length });
        Add(m => from c in m.Customers let place = c.City where place == city select c);
        Add(m => from c in m.Customers let active = c.IsActive let rank = c.Rank where rank == 2 && active select new { c.Id, rank });
        Add(m => from o in m.Orders let day = o.Placed.Date orderby day, o.Total descending select new { day, o.Total, o.State });
        Add(m => from o in m.Orders let net = o.Total * 0.8m where o.CustomerId == 6 || net > 150 select new { o.Id, net });
        Add(m => from c in m.Customers let share = 10 / c.Id where c.Id > 4 select new { c.Id, share });
        Add(m => from c in m.Customers let share = 10 / (c.Id - 10) where c.Id != 10 select new { c.Id, share });
        Add(m => from l in m.Lines let net = l.Quantity * (1 - l.Discount) where l.OrderId < 9 && net > 1 select new { l.OrderId, l.Number, net });
        Add(m => m.Orders.Select(o => new { o.Id, o.Total }).Skip(3).Take(20).Where(r => r.Total > 40).OrderBy(r => r.Total));
        Add(m => m.Orders.Select(o => new { o.Id, o.State, o.Placed }).OrderBy(r => r.State).ThenBy(r => r.Placed).Skip(4));
        Add(m => m.Orders.OrderBy(o => o.State).Select(o => new { o.Id, o.Total }).OrderByDescending(r => r.Total));
        Add(m => m.Orders.Select(o => new { o, o.Total }).OrderByDescending(r => r.Total).Select(r => r.o));
        Add(m => m.Orders.Select(o => o.Placed.Month).Distinct());
        Add(m => m.Orders.Select(o => (OrderState?)o.State).Where(s => s != OrderState.Open));
        AddValue(m => m.Customers.Select(c => new { c.Rank, c.Id }), q => q.MaxAsync(r => r.Rank), q => q.Max(r => r.Rank));
        AddValue(m => m.Customers.Select(c => new { c.Rank, c.Id }), q => q.CountAsync(r => r.Rank == 1), q => q.Count(r => r.Rank == 1));
        AddValue(m => m.Customers.Select(c => c.Home!.Floor), q => q.CountAsync(), q => q.Count());
        AddValue(m => m.Orders.Select(o => new { o.Total, o.State }).Where(r => r.State == OrderState.Open), q => q.SumAsync(r => r.Total), q => q.Sum(r => r.Total));
    }
}
