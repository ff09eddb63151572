using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;

namespace Datacake.Data.Tests.Query.Market;

public sealed class Customer
{
    public long Id { get; set; }
    public string Name { get; set; } = "";
    public string? City { get; set; }
    public int? Rank { get; set; }
    public long? ReferrerId { get; set; }
    public bool IsActive { get; set; }
    public DateOnly Since { get; set; }
    public Home? Home { get; set; }
    public HashSet<string> Tags { get; set; } = [];
    public List<string> Notes { get; set; } = [];
}

public sealed class Home
{
    public string Street { get; set; } = "";
    public int Floor { get; set; }
}

public enum OrderState
{
    Open,
    Paid,
    Shipped,
    Canceled,
}

public sealed class Order
{
    public long Id { get; set; }
    public long CustomerId { get; set; }
    public int? EmployeeId { get; set; }
    public OrderState State { get; set; }
    public DateTime Placed { get; set; }
    public decimal Total { get; set; }
}

public sealed class Line
{
    [Key, Column(Order = 0)] public long OrderId { get; set; }
    [Key, Column(Order = 1)] public int Number { get; set; }
    public int ProductId { get; set; }
    public int Quantity { get; set; }
    public decimal Discount { get; set; }
}

public sealed class Product
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public int Id { get; set; }
    public string Name { get; set; } = "";
    public string Category { get; set; } = "";
    public decimal Price { get; set; }
    public int Stock { get; set; }
    public double Weight { get; set; }
}

public sealed class Employee
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public int Id { get; set; }
    public string Name { get; set; } = "";
    public string Team { get; set; } = "";
    public int? ManagerId { get; set; }
}
