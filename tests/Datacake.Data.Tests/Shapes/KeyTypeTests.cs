using System.ComponentModel.DataAnnotations;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Shapes;

/// <summary>Tests that equal values are the same key, set element and dictionary key.</summary>
public sealed class KeyTypeTests(StoreFixture store)
{
    static readonly DateTimeOffset At = new(2020, 1, 2, 3, 0, 0, TimeSpan.FromHours(3));

    [Fact]
    public async Task Equal_values_are_the_same_key_which_is_read_back_in_UTC_and_without_trailing_zeros()
    {
        await using var db = Context();
        db.SensorReadings.Add(new SensorReading { Sensor = 1.50m, At = At, Hour = new(3, 0), Value = 7, ByPrice = { [2.00m] = 1 }, Times = [At] });
        await db.SaveChangesAsync(Token);
        await using var other = Context();
        var read = await other.SensorReadings.FindAsync([1.5m, At.ToUniversalTime(), new TimeOnly(3, 0)], Token);
        Assert.NotNull(read);
        Assert.Equal("1.5", read.Sensor.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(TimeSpan.Zero, read.At.Offset);
        Assert.Equal("2", Assert.Single(read.ByPrice).Key.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal((At, TimeSpan.Zero), (Assert.Single(read.Times), Assert.Single(read.Times).Offset));
        Assert.Equal(7, (await other.SensorReadings.SingleAsync(r => r.Sensor == 1.500m && r.At >= At && r.At < At.AddHours(1), Token)).Value);
    }

    [Fact]
    public async Task DateTime_key_must_be_in_UTC()
    {
        await using var db = Context();
        var noon = new DateTime(2020, 1, 2, 12, 0, 0, DateTimeKind.Utc);
        db.CalendarDays.Add(new Day { At = noon });
        await db.SaveChangesAsync(Token);
        var exception = Assert.ThrowsAny<ArgumentException>(() => db.CalendarDays.Add(new Day { At = new DateTime(2020, 1, 2) }));
        Assert.Contains("A DateTime in a key must be in UTC, but this one is of kind Unspecified", exception.Message, StringComparison.Ordinal);
        await using var other = Context();
        // Lookups ignore the kind, as DateTime.Equals does.
        var read = await other.CalendarDays.FindAsync([DateTime.SpecifyKind(noon, DateTimeKind.Unspecified)], Token);
        Assert.Equal((noon, DateTimeKind.Utc), (read!.At, read.At.Kind));
        Assert.Equal(1, await other.CalendarDays.CountAsync(day => day.At > new DateTime(2020, 1, 2) && day.At < new DateTime(2020, 1, 3), Token));
    }

    [Fact]
    public async Task Entities_are_returned_in_key_order()
    {
        await using var db = Context();
        decimal[] keys = [decimal.MaxValue, -7.5m, 0, 100m, 0.0001m, decimal.MinValue, -0.1m];
        db.ExactAmounts.AddRange(keys.Select(key => new Amount { Value = key, IsNew = key > 0 }));
        await db.SaveChangesAsync(Token);
        await using var other = Context();
        Assert.Equal(keys.Order(), await other.ExactAmounts.Select(amount => amount.Value).ToListAsync(Token));
        Assert.Equal([-0.1m, 0, 0.0001m], await other.ExactAmounts.Where(amount => amount.Value > -1 && amount.Value < 1).Select(amount => amount.Value).ToListAsync(Token));
    }

    KeyTypeContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}

public sealed class SensorReading
{
    [Key]
    public decimal Sensor { get; set; }

    [Key]
    public DateTimeOffset At { get; set; }

    [Key]
    public TimeOnly Hour { get; set; }

    public int Value { get; set; }

    public Dictionary<decimal, int> ByPrice { get; } = [];

    public HashSet<DateTimeOffset> Times { get; set; } = [];
}

public sealed class Day
{
    [Key]
    public DateTime At { get; set; }
}

public sealed class Amount
{
    [Key]
    public decimal Value { get; set; }

    public bool IsNew { get; set; }
}

public sealed partial class KeyTypeContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<SensorReading> SensorReadings { get; }

    public partial Keyspace<Day> CalendarDays { get; }

    public partial Keyspace<Amount> ExactAmounts { get; }
}
