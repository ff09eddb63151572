using Datacake.Data.Tests.Query;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Relations;

/// <summary>The base class of tests on a node with a few customers and their orders.</summary>
public abstract class TradingStore : QueriedStore
{
    public static TheoryData<string> Stores { get; } = ["memory", "SQLite"];

    protected static TradingContext NewContext(DatacakeNode node) => new(node) { DefaultConsistency = Consistency.None };

    protected async Task<DatacakeNode> FilledAsync(string provider, Action<DatacakeNodeOptions>? configure = null)
    {
        var node = await StartAsync(provider, configure);
        await using var db = NewContext(node);
        db.Countries.AddRange(new Country { Code = "se", Name = "Sweden" }, new Country { Code = "fi", Name = "Finland" });
        db.Customers.AddRange(
            new Customer { Id = 1, Name = "Ann", Rank = 3, IsActive = true, CountryCode = "se" },
            new Customer { Id = 2, Name = "Bob", Rank = 5, CountryCode = "fi" },
            new Customer { Id = 3, Name = "Cid", Rank = 1, IsActive = true });
        db.Passports.Add(new Passport { Number = "P1", CustomerId = 1 });
        db.Employees.AddRange(
            new Employee { Id = 1, Name = "Max" }, new Employee { Id = 2, Name = "Pia", ManagerId = 1 }, new Employee { Id = 3, Name = "Tor", ManagerId = 1 });
        db.Shelves.Add(new Shelf { Hall = "A", Row = 7, Note = "cold" });
        db.Products.AddRange(
            new Product { Id = 1, Name = "cake", Price = 12, ShelfHall = "A", ShelfRow = 7 }, new Product { Id = 2, Name = "tea", Price = 3 });
        db.Orders.AddRange(
            new Order { Id = 11, CustomerId = 1, Total = 10, SoldBy = 2 },
            new Order { Id = 12, CustomerId = 1, Total = 20 },
            new Order { Id = 13, CustomerId = 2, Total = 30, SoldBy = 3 },
            new Order { Id = 14, CustomerId = 1, Total = 5, SoldBy = 2 });
        db.Lines.AddRange(
            new OrderLine { OrderId = 11, Number = 1, ProductId = 1, Quantity = 2 },
            new OrderLine { OrderId = 11, Number = 2, ProductId = 2, Quantity = 1 },
            new OrderLine { OrderId = 13, Number = 1, ProductId = 2, Quantity = 9 });
        db.Complaints.Add(new Complaint { About = 1, Text = "late" });
        await db.SaveChangesAsync(Token);
        return node;
    }
}
