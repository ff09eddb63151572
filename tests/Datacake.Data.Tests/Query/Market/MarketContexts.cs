using Datacake.Node;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>The market without indexes.</summary>
public sealed partial class MarketContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Customer> Customers { get; }
    public partial Keyspace<Order> Orders { get; }
    public partial Keyspace<Line> Lines { get; }
    public partial Keyspace<Product> Products { get; }
    public partial Keyspace<Employee> Employees { get; }
}

/// <summary>The market with indexes.</summary>
public sealed partial class IndexedMarketContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("indexed customers")] public partial Keyspace<Customer> Customers { get; }
    [Keyspace("indexed orders")] public partial Keyspace<Order> Orders { get; }
    [Keyspace("indexed lines")] public partial Keyspace<Line> Lines { get; }
    [Keyspace("indexed products")] public partial Keyspace<Product> Products { get; }
    [Keyspace("indexed employees")] public partial Keyspace<Employee> Employees { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<Customer>().HasIndex(c => c.Name);
        model.Entity<Customer>().HasIndex(c => c.City);
        model.Entity<Customer>().HasIndex(c => c.Rank);
        model.Entity<Customer>().HasIndex(c => c.Tags);
        model.Entity<Order>().HasIndex(o => o.CustomerId);
        model.Entity<Order>().HasIndex(o => o.EmployeeId);
        model.Entity<Order>().HasIndex(o => o.Total);
        model.Entity<Order>().HasIndex(o => new { o.State, o.Placed });
        model.Entity<Line>().HasIndex(l => l.ProductId);
        model.Entity<Product>().HasIndex(p => new { p.Category, p.Price });
        model.Entity<Employee>().HasIndex(e => e.ManagerId);
        model.Entity<Employee>().HasIndex(e => e.Team);
    }
}

/// <summary>The keyspaces of the market without indexes, to which this context adds indexes.</summary>
public sealed partial class LaterMarketContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Customer> Customers { get; }
    public partial Keyspace<Order> Orders { get; }
    public partial Keyspace<Line> Lines { get; }
    public partial Keyspace<Product> Products { get; }
    public partial Keyspace<Employee> Employees { get; }

    protected override void OnModelCreating(ModelBuilder model)
    {
        model.Entity<Customer>().HasIndex(c => c.Name);
        model.Entity<Customer>().HasIndex(c => c.City);
        model.Entity<Customer>().HasIndex(c => c.Rank);
        model.Entity<Customer>().HasIndex(c => c.Tags);
        model.Entity<Order>().HasIndex(o => o.CustomerId);
        model.Entity<Order>().HasIndex(o => o.EmployeeId);
        model.Entity<Order>().HasIndex(o => o.Total);
        model.Entity<Order>().HasIndex(o => new { o.State, o.Placed });
        model.Entity<Line>().HasIndex(l => l.ProductId);
        model.Entity<Product>().HasIndex(p => new { p.Category, p.Price });
        model.Entity<Employee>().HasIndex(e => e.ManagerId);
        model.Entity<Employee>().HasIndex(e => e.Team);
    }
}
