using System.ComponentModel.DataAnnotations.Schema;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>Tests of queries that read single values of many entities, without creating these.</summary>
public sealed class StoredValueTests : QueriedStore
{
    const int Readings = 5_000;

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Aggregates_and_projections_of_stored_values_are_those_of_the_entities(string provider)
    {
        await using var node = await StartAsync(provider);
        var all = await FillAsync(node);
        await using var db = new ReadingContext(node);

        Assert.Equal(all.Sum(r => r.Amount), await db.Readings.SumAsync(r => r.Amount, Token));
        Assert.Equal(all.Sum(r => (long)r.Amount), await db.Readings.SumAsync(r => (long)r.Amount, Token));
        Assert.Equal(all.Sum(r => r.Weight), await db.Readings.SumAsync(r => r.Weight, Token));
        Assert.Equal(all.Sum(r => r.Price), await db.Readings.SumAsync(r => r.Price, Token));
        Assert.Equal(all.Sum(r => r.Bonus), await db.Readings.SumAsync(r => r.Bonus, Token));
        Assert.Equal(all.Average(r => (decimal)r.Amount), await db.Readings.AverageAsync(r => (decimal)r.Amount, Token));
        Assert.Equal(all.Sum(r => (double)r.Level), await db.Readings.SumAsync(r => (double)r.Level, Token));
        Assert.Equal(all.Sum(r => r.Doubled), await db.Readings.SumAsync(r => r.Doubled, Token));
        Assert.Equal(all.Max(r => r.Weight), await db.Readings.MaxAsync(r => r.Weight, Token));
        Assert.Equal(all.Where(r => r.Amount > 10).Sum(r => r.Level), await db.Readings.Where(r => r.Amount > 10).SumAsync(r => r.Level, Token));
        Assert.Equal(all.Select(r => r.Name), await db.Readings.Select(r => r.Name).ToListAsync(Token));
        Assert.Equal(all.Select(r => r.Amount).Reverse(), await db.Readings.Reverse().Select(r => r.Amount).ToListAsync(Token));
        Assert.Equal(all.Select(r => r.Level).Skip(1_500).Take(2_000), await db.Readings.Select(r => r.Level).Skip(1_500).Take(2_000).ToListAsync(Token));
        Assert.Equal(all.OrderBy(r => r.Level).Select(r => r.Level), await db.Readings.OrderBy(r => r.Level).Select(r => r.Level).ToListAsync(Token));
        Assert.Equal(all.OrderBy(r => r.Level).Skip(1_100).Take(1_300).Select(r => r.Level), await db.Readings.OrderBy(r => r.Level).Skip(1_100).Take(1_300).Select(r => r.Level).ToListAsync(Token));
        Assert.Equal(all.Where(r => r.Level >= 3).Sum(r => r.Level), await db.Readings.Where(r => r.Level >= 3).SumAsync(r => r.Level, Token));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task First_entities_in_an_order_that_no_index_has_are_those_of_all_entities(string provider)
    {
        await using var node = await StartAsync(provider);
        var all = await FillAsync(node);
        await using var db = new ReadingContext(node);

        await ExpectAsync(all.OrderBy(r => r.Amount), db.Readings.OrderBy(r => r.Amount));
        await ExpectAsync(all.OrderByDescending(r => r.Amount), db.Readings.OrderByDescending(r => r.Amount));
        await ExpectAsync(all.OrderBy(r => r.Name, StringComparer.Ordinal), db.Readings.OrderBy(r => r.Name));
        await ExpectAsync(all.OrderBy(r => r.Bonus), db.Readings.OrderBy(r => r.Bonus));
        await ExpectAsync(all.OrderByDescending(r => r.Weight).ThenBy(r => r.Amount), db.Readings.OrderByDescending(r => r.Weight).ThenBy(r => r.Amount));
        await ExpectAsync(all.Where(r => r.Weight > 0).OrderBy(r => r.Amount), db.Readings.Where(r => r.Weight > 0).OrderBy(r => r.Amount));
        await ExpectAsync(all.OrderBy(r => r.Doubled), db.Readings.OrderBy(r => r.Doubled));
        await ExpectAsync(all.AsEnumerable().Reverse().OrderByDescending(r => r.Amount), db.Readings.Reverse().OrderByDescending(r => r.Amount));

        async Task ExpectAsync(IEnumerable<Reading> expected, Query<Reading> query)
        {
            Assert.Equal(expected.Take(30).Select(r => r.Id), (await query.Take(30).ToListAsync(Token)).Select(r => r.Id));
            Assert.Equal(expected.Skip(20).Take(5).Select(r => r.Id), (await query.Skip(20).Take(5).AsNoTracking().ToListAsync(Token)).Select(r => r.Id));
        }
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Groups_of_index_entries_with_equal_values_are_those_of_the_entities(string provider)
    {
        await using var node = await StartAsync(provider);
        var all = await FillAsync(node);
        await using var db = new ReadingContext(node);

        Assert.Equal(
            all.GroupBy(r => r.Region).Select(g => (g.Key, g.Count())),
            await db.Readings.GroupBy(r => r.Region).Select(g => ValueTuple.Create(g.Key, g.Count())).ToListAsync(Token));
        Assert.Equal(
            all.GroupBy(r => r.Level % 7).Select(g => (g.Key, g.Sum(r => r.Level), g.LongCount(r => r.Level > 50), g.Max(r => r.Level), g.Average(r => r.Level))),
            await db.Readings.GroupBy(r => r.Level % 7)
                .Select(g => ValueTuple.Create(g.Key, g.Sum(r => r.Level), g.LongCount(r => r.Level > 50), g.Max(r => r.Level), g.Average(r => r.Level))).ToListAsync(Token));
        Assert.Equal(
            all.Where(r => r.Region != "north").GroupBy(r => r.Region).Select(g => (g.Key, g.Count())),
            await db.Readings.Where(r => r.Region != "north").GroupBy(r => r.Region).Select(g => ValueTuple.Create(g.Key, g.Count())).ToListAsync(Token));
        // The key is used, so entries with equal values differ.
        Assert.Equal(
            all.Where(r => r.Id % 2 == 0).GroupBy(r => r.Region).Select(g => (g.Key, g.Count())),
            await db.Readings.Where(r => r.Id % 2 == 0).GroupBy(r => r.Region).Select(g => ValueTuple.Create(g.Key, g.Count())).ToListAsync(Token));
        Assert.Equal(
            all.GroupBy(r => r.Region).Select(g => (g.Key, g.Sum(r => r.Id))),
            await db.Readings.GroupBy(r => r.Region).Select(g => ValueTuple.Create(g.Key, g.Sum(r => r.Id))).ToListAsync(Token));
    }

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Scan_that_ends_early_releases_what_it_has_read_ahead(string provider)
    {
        await using var node = await StartAsync(provider);
        var all = await FillAsync(node);
        await using var db = new ReadingContext(node);
        for (int count = 900; count <= 2_500; count += 100)
        {
            var found = new List<int>();
            await foreach (int amount in db.Readings.Select(r => r.Amount).AsAsyncEnumerable().WithCancellation(Token))
            {
                found.Add(amount);
                if (found.Count == count)
                    break;
            }
            Assert.Equal(all.Take(count).Select(r => r.Amount), found);
            Assert.Equal(count, (await db.Readings.AsNoTracking().Take(count).ToListAsync(Token)).Count);
        }
    }

    [Fact]
    public async Task Value_of_another_type_is_reported_with_its_entity()
    {
        await using var node = await StartAsync("memory");
        await FillAsync(node);
        await using (var newer = new NewerReadingContext(node) { DefaultConsistency = Consistency.None })
        {
            newer.Readings.Add(new NewerReading { Id = 777_777, Amount = "many" });
            await newer.SaveChangesAsync(Token);
        }
        await using var db = new ReadingContext(node);
        var error = await Assert.ThrowsAsync<UnreadableEntityException>(() => db.Readings.SumAsync(r => r.Amount, Token));
        Assert.Contains("777777", error.Message, StringComparison.Ordinal);
        Assert.Contains("Amount", error.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<UnreadableEntityException>(() => db.Readings.OrderBy(r => r.Amount).Take(3).ToListAsync(Token));
    }

    static async Task<List<Reading>> FillAsync(DatacakeNode node)
    {
        var random = new Random(3);
        string[] regions = ["south", "north", "west", new string('x', 230)];
        // These lack some properties, which therefore have their defaults.
        await using (var older = new OlderReadingContext(node) { DefaultConsistency = Consistency.None })
        {
            older.Readings.AddRange(Enumerable.Range(0, 40).Select(static i => new OlderReading { Id = i * 100, Name = $"old {i}" }));
            await older.SaveChangesAsync(Token);
        }
        await using var db = new ReadingContext(node) { DefaultConsistency = Consistency.None };
        db.Readings.AddRange(Enumerable.Range(0, Readings).Where(static i => i % 100 != 0 || i >= 4_000).Select(i => new Reading
        {
            Id = i,
            Name = $"reading {random.Next(1_000)}",
            Amount = random.Next(-1_000, 1_000),
            Weight = random.Next(-20, 20) / 8.0,
            Price = random.Next(-20, 20) / 10m,
            Bonus = random.Next(3) == 0 ? null : random.Next(100),
            Level = random.Next(100),
            Region = regions[random.Next(100) switch { 0 => 3, < 80 => 0, < 90 => 1, _ => 2 }],
        }));
        await db.SaveChangesAsync(Token);
        return await db.Readings.AsNoTracking().ToListAsync(Token);
    }
}

public sealed class Reading
{
    int _doubled = 1;

    [DatabaseGenerated(DatabaseGeneratedOption.None)] public long Id { get; set; }
    public string Name { get; set; } = "";
    public int Amount { get; set; } = 42;
    public double Weight { get; set; } = 0.5;
    public decimal Price { get; set; } = 1.5m;
    public int? Bonus { get; set; } = 7;
    [Index] public int Level { get; set; } = 3;
    [Index] public string Region { get; set; } = "nowhere";

    // The accessor returns something else than what is stored.
    public int Doubled { get => _doubled * 2; set => _doubled = value + 1; }
}

public sealed class OlderReading
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public long Id { get; set; }
    public string Name { get; set; } = "";
}

public sealed class NewerReading
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public long Id { get; set; }
    public string Amount { get; set; } = "";
}

public sealed partial class ReadingContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("readings")]
    public partial Keyspace<Reading> Readings { get; }
}

public sealed partial class OlderReadingContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("readings")]
    public partial Keyspace<OlderReading> Readings { get; }
}

public sealed partial class NewerReadingContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("readings")]
    public partial Keyspace<NewerReading> Readings { get; }
}
