using Datacake.Data;

namespace Datacake.Benchmarks.Scale;

/// <summary>The entity of the large stores, with three indexes.</summary>
sealed class Sale
{
    public const int Regions = 10;

    public const int Clerks = 100;

    public long Id { get; set; }

    [Index]
    public string Region { get; set; } = "";

    /// <summary>Gets or sets the amount, which is in no order with the id.</summary>
    [Index]
    public int Amount { get; set; }

    [Index]
    public DateTime At { get; set; }

    public int Quantity { get; set; }

    public string Clerk { get; set; } = "";

    public string Note { get; set; } = "";

    /// <summary>Returns the sale with this id. Unless a region is given, one in ten sales is in the same region.</summary>
    public static Sale Of(long id, string? region = null) => new()
    {
        Id = id,
        Region = region ?? RegionOf(id),
        Amount = Scattered(id) % 1_000_000,
        At = new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(id),
        Quantity = Scattered(id + 7) % 10_000_000,
        Clerk = $"clerk {id % Clerks}",
        Note = $"Sale number {id}",
    };

    public static string RegionOf(long id) => $"region {id % Regions}";

    static int Scattered(long id) => (int)((ulong)id * 0x9E37_79B9_7F4A_7C15 >> 33);
}
