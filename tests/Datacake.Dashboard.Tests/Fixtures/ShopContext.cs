using Datacake.Data;
using Datacake.Node;

namespace Datacake.Dashboard.Tests.Fixtures;

public sealed class Product
{
    public long Id { get; set; }

    public string Name { get; set; } = "";

    [Index]
    public string Category { get; set; } = "";

    public decimal Price { get; set; }

    [Counter]
    public long Stock { get; set; }

    public HashSet<string> Tags { get; set; } = [];

    public string? Note { get; set; }
}

public sealed class Customer
{
    public string Id { get; set; } = "";

    public string Name { get; set; } = "";

    [Index]
    public string City { get; set; } = "";

    public DateTime Since { get; set; }
}

public sealed class Visit
{
    public Guid Id { get; set; }

    public string Page { get; set; } = "";
}

public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }

    public partial Keyspace<Customer> Customers { get; }

    public partial Keyspace<Visit> Visits { get; }
}
