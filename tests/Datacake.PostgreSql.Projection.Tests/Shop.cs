using System.Collections.Immutable;
using System.ComponentModel.DataAnnotations;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.PostgreSql.Projection.Tests;

public enum OrderState
{
    New,
    Paid,
    Shipped,
}

public sealed record Address(string City, string? Zip);

/// <summary>An object in a list.</summary>
public sealed class OrderLine
{
    public string Sku { get; set; } = "";

    public int Quantity { get; set; }

    public decimal? Price { get; set; }
}

/// <summary>A value with a converter.</summary>
public readonly record struct Email(string Text);

public sealed class EmailConverter() : ValueConverter<Email, string>(static email => email.Text, static text => new Email(text));

/// <summary>An entity with a property of each kind.</summary>
public sealed class Order
{
    public Guid Id { get; set; }

    public string Customer { get; set; } = "";

    public decimal Total { get; set; }

    public OrderState State { get; set; }

    public DateTimeOffset PlacedAt { get; set; }

    public DateOnly? DueOn { get; set; }

    public TimeSpan? Took { get; set; }

    public byte[]? Signature { get; set; }

    public double Weight { get; set; }

    public bool IsGift { get; set; }

    [Converter<EmailConverter>]
    public Email Contact { get; set; }

    [Counter]
    public long Views { get; set; }

    public Address? ShipTo { get; set; }

    public HashSet<string> Tags { get; set; } = [];

    public Dictionary<string, int> Ratings { get; set; } = [];

    public List<OrderLine> Lines { get; set; } = [];
}

/// <summary>An entity with a key of two properties, of two classes.</summary>
[Derived(typeof(Gadget))]
public class Product
{
    [Key]
    public string Maker { get; set; } = "";

    [Key]
    public int Number { get; set; }

    public string Name { get; set; } = "";
}

public class Gadget : Product
{
    public int? Volts { get; set; }
}

/// <summary>An entity with properties of many types.</summary>
public sealed class Sample
{
    public long Id { get; set; }

    public List<int?> Numbers { get; set; } = [];

    public string[] Words { get; set; } = [];

    public ImmutableArray<OrderState> States { get; set; }

    public List<List<int>> Nested { get; set; } = [];

    public Dictionary<OrderState, OrderLine> ByState { get; set; } = [];

    public Dictionary<DateOnly, List<string>> ByDay { get; set; } = [];

    public List<double> Doubles { get; set; } = [];

    public List<DateTimeOffset> Times { get; set; } = [];

    public List<TimeSpan> Spans { get; set; } = [];

    public List<byte[]> Blobs { get; set; } = [];

    public List<Guid> Ids { get; set; } = [];

    public ulong Large { get; set; }

    public char Letter { get; set; }

    public DateTime Time { get; set; } = new(2026, 1, 2, 3, 4, 5, DateTimeKind.Unspecified);

    public TimeOnly Hour { get; set; }

    public sbyte Small { get; set; }

    public uint Count { get; set; }

    public float Share { get; set; }

    public decimal? Price { get; set; }

    public OrderState? State { get; set; }

    public Box? Box { get; set; }
}

/// <summary>An owned object with properties of its own kinds.</summary>
public sealed class Box
{
    public string Name { get; set; } = "";

    public HashSet<int> Codes { get; set; } = [];

    public Dictionary<string, double> Weights { get; set; } = [];

    [Counter]
    public int Uses { get; set; }

    public Address? From { get; set; }
}

/// <summary>An entity that expires.</summary>
public sealed class Offer
{
    public long Id { get; set; }

    [Expires]
    public DateTimeOffset EndsAt { get; set; }
}

public sealed partial class ShopContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Order> Orders { get; }

    public partial Keyspace<Product> Products { get; }

    public partial Keyspace<Offer> Offers { get; }

    public partial Keyspace<Sample> Samples { get; }

    /// <summary>Puts orders.</summary>
    public static async Task PutAsync(DatacakeNode node, params Order[] orders)
    {
        await using var db = new ShopContext(node);
        db.Orders.PutRange(orders);
        await db.SaveChangesAsync(Consistency.None, TestContext.Current.CancellationToken);
    }

    /// <summary>Deletes an order.</summary>
    public static async Task DeleteAsync(DatacakeNode node, Guid id)
    {
        await using var db = new ShopContext(node);
        db.Orders.Remove(new Order { Id = id });
        await db.SaveChangesAsync(Consistency.None, TestContext.Current.CancellationToken);
    }
}
