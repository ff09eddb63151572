namespace Datacake.Data.Tests.Query.Market;

/// <summary>The entities of the market, each list in key order.</summary>
public sealed record MarketData(List<Customer> Customers, List<Order> Orders, List<Line> Lines, List<Product> Products, List<Employee> Employees)
{
    static readonly string[] Names = ["Ada", "bea", "Åsa", "åke", "Zoë", "zoe", "Émile", "e\u0301va", "Ibn", "ıan", "istván", "Öl", "ola", "", "Co-op", "coop", "ß", "ss"];
    static readonly string?[] Cities = ["Ålesund", "Aachen", "aalst", "Zürich", "zug", "Ümraniye", "Izmir", "izmit", null];
    static readonly string[] Categories = ["tea", "Tea", "ölja", "zest"];
    static readonly string[] Tags = ["new", "Old", "vip", "öko", "zz"];

    public static MarketData Make(int seed)
    {
        var random = new Random(seed);
        string Name() => Names[random.Next(Names.Length)] + (random.Next(3) == 0 ? $" {random.Next(3)}" : "");
        var employees = Enumerable.Range(1, 14)
            .Select(i => new Employee { Id = i, Name = Name(), Team = $"team {random.Next(4)}", ManagerId = i < 4 ? null : random.Next(1, i) })
            .ToList();
        var products = Enumerable.Range(1, 24).Select(i => new Product
        {
            Id = i * 3,
            Name = Name(),
            Category = Categories[random.Next(4)],
            Price = random.Next(1, 400) / 10m,
            Stock = random.Next(5),
            Weight = random.Next(8) / 4.0,
        }).ToList();
        var customers = Enumerable.Range(1, 36).Select(i => new Customer
        {
            Id = i * 2,
            Name = Name(),
            City = Cities[random.Next(Cities.Length)],
            Rank = random.Next(4) == 0 ? null : random.Next(5),
            ReferrerId = random.Next(3) == 0 ? random.Next(1, 80) : null,
            IsActive = random.Next(2) == 0,
            Since = new DateOnly(2020, 1, 1).AddDays(random.Next(900)),
            Home = random.Next(4) == 0 ? null : new Home { Street = Name(), Floor = random.Next(3) },
            Tags = [.. Tags.Where(_ => random.Next(3) == 0)],
            Notes = [.. Enumerable.Range(0, random.Next(3)).Select(_ => Name())],
        }).ToList();
        var orders = Enumerable.Range(1, 90).Select(i => new Order
        {
            Id = i,
            // Some orders refer to customers that do not exist.
            CustomerId = random.Next(1, 50),
            EmployeeId = random.Next(4) == 0 ? null : random.Next(1, 18),
            State = (OrderState)random.Next(4),
            Placed = new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddHours(random.Next(4_000)),
            Total = random.Next(0, 500) / 2m,
        }).ToList();
        var lines = orders.SelectMany(order => Enumerable.Range(1, random.Next(4)).Select(number => new Line
        {
            OrderId = order.Id,
            Number = number,
            ProductId = random.Next(1, 80),
            Quantity = random.Next(1, 6),
            Discount = random.Next(3) / 10m,
        })).ToList();
        return new MarketData(customers, orders, lines, products, employees);
    }
}
