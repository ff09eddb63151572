using Datacake.Data;
using Datacake.Node;

namespace Datacake.Administration.Tests;

public enum Size
{
    Small,
    Large,
}

public sealed record Address(string Street, int? Number);

/// <summary>An entity with a property of every kind.</summary>
public sealed class Everything
{
    public Guid Id { get; set; }

    public string Name { get; set; } = "";

    public string? Nothing { get; set; }

    public decimal Price { get; set; }

    public double Ratio { get; set; }

    public float Share { get; set; }

    public ulong Big { get; set; }

    public long Small { get; set; }

    public bool IsSold { get; set; }

    public Size Size { get; set; }

    public byte[] Image { get; set; } = [];

    public DateTime Made { get; set; }

    public DateTimeOffset Sold { get; set; }

    public DateOnly Day { get; set; }

    public TimeSpan Duration { get; set; }

    public Address? Home { get; set; }

    public List<string> Notes { get; set; } = [];

    public HashSet<string> Tags { get; set; } = [];

    public Dictionary<int, decimal> Prices { get; set; } = [];

    [Counter]
    public long Stock { get; set; }

    public static Everything Of(int seed) => new()
    {
        Id = new Guid(seed, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
        Name = $"Cake {seed} \"ü\n𝄞\"",
        Price = 12.50m + seed,
        Ratio = seed % 5 == 0 ? double.NaN : seed % 3 == 0 ? -0.0 : seed + 0.0,
        Share = 0.1f * seed,
        Big = ulong.MaxValue - (ulong)seed,
        Small = long.MinValue + seed,
        IsSold = seed % 2 == 0,
        Size = (Size)(seed % 2),
        Image = [.. Enumerable.Range(0, seed % 20).Select(static i => (byte)i)],
        Made = DateTime.SpecifyKind(new DateTime(2026, 1, 2, 3, 4, 5).AddTicks(seed), (DateTimeKind)(seed % 2)),
        Sold = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromMinutes(seed % 2 == 0 ? -90 : 330)),
        Day = new DateOnly(2026, 1, 2).AddDays(seed),
        Duration = TimeSpan.FromTicks(seed * 12_345),
        Home = seed % 3 == 0 ? null : new Address("High Street", seed % 2 == 0 ? null : seed),
        Notes = [.. Enumerable.Repeat("note", seed % 4)],
        Tags = [.. Enumerable.Range(0, seed % 4).Select(static i => $"tag {i}")],
        Prices = Enumerable.Range(0, seed % 4).ToDictionary(static i => i, static i => i * 1.5m),
        Stock = seed - 10,
    };

    /// <summary>Returns all values as text, for comparison.</summary>
    public override string ToString() => System.Text.Json.JsonSerializer.Serialize(this, Options) + Made.Kind;

    static readonly System.Text.Json.JsonSerializerOptions Options = new() { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals };
}

public sealed partial class EverythingContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Everything> Things { get; }
}
