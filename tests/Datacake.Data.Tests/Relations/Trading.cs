using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Datacake.Node;

namespace Datacake.Data.Tests.Relations;

public sealed class Country
{
    [Key] public string Code { get; set; } = "";
    public string Name { get; set; } = "";
    public ICollection<Customer> Customers { get; private set; } = [];
}

public sealed class Customer
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
    public int Rank { get; set; }
    public bool IsActive { get; set; }
    public string? CountryCode { get; set; }
    public Country? Country { get; set; }
    public List<Order> Orders { get; } = [];
    public Passport? Passport { get; set; }

    public bool HasOrders => Orders.Count > 0;

    public decimal Spent() => Orders.Sum(order => order.Total);
}

/// <summary>A dependent in a one-to-one relation with a customer.</summary>
public sealed class Passport
{
    public Guid Id { get; set; }
    public string Number { get; set; } = "";
    public long CustomerId { get; set; }
    public Customer? Customer { get; set; }
}

public sealed class Order
{
    public long Id { get; set; }
    public decimal Total { get; set; }
    public long CustomerId { get; set; }
    public Customer? Customer { get; set; }
    [ForeignKey(nameof(Agent))] public long? SoldBy { get; set; }
    public Employee? Agent { get; set; }
    public HashSet<OrderLine>? Lines { get; set; }
}

/// <summary>A part of an order, whose key starts with the key of the order.</summary>
public sealed class OrderLine
{
    [Key] public long OrderId { get; set; }
    [Key] public int Number { get; set; }
    public int Quantity { get; set; }
    public long ProductId { get; set; }
    public Order? Order { get; set; }
    public Product? Product { get; private set; }

    public static OrderLine Of(int number, Product product, int quantity = 1) => new() { Number = number, Product = product, Quantity = quantity };
}

public sealed class Product
{
    readonly List<OrderLine> _lines = [];

    public long Id { get; set; }
    public string Name { get; set; } = "";
    public decimal Price { get; set; }
    public string? ShelfHall { get; set; }
    public int? ShelfRow { get; set; }
    public Shelf? Shelf { get; set; }
    public IReadOnlyCollection<OrderLine> Lines => _lines.AsReadOnly();
}

public sealed class Shelf
{
    [Key] public string Hall { get; set; } = "";
    [Key] public int Row { get; set; }
    public string? Note { get; set; }
    public List<Product>? Products { get; set; }
}

public sealed class Employee
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
    public long? ManagerId { get; set; }
    public Employee? Manager { get; set; }
    public List<Employee> Reports { get; set; } = [];
    public List<Order> Orders { get; set; } = [];
}

/// <summary>An entity that refers to a customer without a navigation property.</summary>
public sealed class Complaint
{
    public Guid Id { get; set; }
    public long About { get; set; }
    public string Text { get; set; } = "";
}

public sealed partial class TradingContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Country> Countries { get; }

    public partial Keyspace<Customer> Customers { get; }

    public partial Keyspace<Passport> Passports { get; }

    public partial Keyspace<Order> Orders { get; }

    public partial Keyspace<OrderLine> Lines { get; }

    public partial Keyspace<Product> Products { get; }

    public partial Keyspace<Shelf> Shelves { get; }

    public partial Keyspace<Employee> Employees { get; }

    public partial Keyspace<Complaint> Complaints { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<OrderLine>().HasOne(l => l.Product).WithMany(p => p.Lines).HasForeignKey(l => l.ProductId).OnDelete(DeleteBehavior.Restrict);
        model.Entity<Customer>().HasOne(c => c.Country).WithMany(c => c.Customers).OnDelete(DeleteBehavior.NoAction);
        model.Entity<Complaint>().HasOne<Customer>().WithMany().HasForeignKey(c => c.About);
    }
}
