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

/// <summary>An entity of a serial class.</summary>
[Serial]
public sealed class Voucher
{
    public string Id { get; set; } = "";

    public int Left { get; set; }
}

/// <summary>A context of its own, so that the keyspaces of the shop stay as they are.</summary>
public sealed partial class VoucherContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Voucher> Vouchers { get; }
}

public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Product> Products { get; }

    public partial Keyspace<Customer> Customers { get; }

    public partial Keyspace<Visit> Visits { get; }
}
