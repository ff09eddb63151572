using System.Globalization;
using System.Text;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>
/// Tests that every query of the suite returns the same results as LINQ to Objects over the same entities: with and without indexes, with
/// and without tracking, and in cultures with their own string order.
/// </summary>
public sealed class MarketTests : QueriedStore
{
    static readonly MarketData Data = MarketData.Make(seed: 7);
    static readonly MarketQueries Queries = new();
    static readonly Lazy<List<string>> Expected = new(() =>
    {
        var inMemory = MarketSources.Of(Data);
        return [.. Queries.All.Select(query => ShownOrFault(() => query.InMemory(inMemory)))];
    });

    [Theory]
    [InlineData("memory", false, true, "")]
    [InlineData("memory", true, false, "sv-SE")]
    [InlineData("SQLite", true, true, "tr-TR", 4)]
    [InlineData("LMDB", true, true, "", 4)]
    [InlineData("SQLite", false, false, "sv-SE", 9)]
    public async Task Queries_match_LINQ_to_Objects(string provider, bool isIndexed, bool isTracking, string culture, int oneOf = 1)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            await using var node = await StartAsync(provider);
            await FillAsync(node, Data);
            await CompareAsync(oneOf, async run =>
            {
                await using DatacakeContext db = isIndexed ? new IndexedMarketContext(node) : new MarketContext(node);
                await run(db is IndexedMarketContext indexed ? MarketSources.Of(indexed, isTracking) : MarketSources.Of((MarketContext)db, isTracking));
            });
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public async Task Queries_return_correct_results_while_their_indexes_are_being_built()
    {
        await using var node = await StartAsync("memory");
        await FillAsync(node, Data);
        var store = await node.OpenStoreAsync(Token);
        // The snapshot does not contain later commits, and therefore no indexes.
        using var snapshot = await store.OpenSnapshotAsync(Token);
        await CompareAsync(oneOf: 3, async run =>
        {
            await using var db = new LaterMarketContext(node);
            Assert.StartsWith("Customers: index City", db.Customers.Where(c => c.City == "zug").Explain(), StringComparison.Ordinal);
            Assert.False(snapshot.HasIndex("Customers", "City"));
            await run(MarketSources.Of(db, snapshot));
        });
    }

    /// <summary>Compares every n-th query, where n is <paramref name="oneOf"/>.</summary>
    static async Task CompareAsync(int oneOf, Func<Func<MarketSources, Task>, Task> onStore)
    {
        Assert.True(Queries.All.Count > 3_000);
        var differences = new StringBuilder();
        foreach (var (query, expected) in Queries.All.Zip(Expected.Value).Where((_, i) => i % oneOf == 0))
        {
            await onStore(async sources =>
            {
                string actual = await ShownOrFaultAsync(() => query.OnStore(sources));
                if (expected != actual)
                    differences.AppendLine(CultureInfo.InvariantCulture, $"{query.Name}\n  expected {Cut(expected)}\n  but was  {Cut(actual)}");
            });
        }
        Assert.True(differences.Length == 0, differences.ToString());
    }

    internal static async Task FillAsync(DatacakeNode node, MarketData data)
    {
        await using var plain = new MarketContext(node) { DefaultConsistency = Consistency.None };
        plain.Customers.AddRange(data.Customers);
        plain.Orders.AddRange(data.Orders);
        plain.Lines.AddRange(data.Lines);
        plain.Products.AddRange(data.Products);
        plain.Employees.AddRange(data.Employees);
        await plain.SaveChangesAsync(Token);
        await using var indexed = new IndexedMarketContext(node) { DefaultConsistency = Consistency.None };
        await FillIndexedAsync(indexed, data);
    }

    internal static async Task FillIndexedAsync(IndexedMarketContext indexed, MarketData data)
    {
        indexed.Customers.AddRange(data.Customers);
        indexed.Orders.AddRange(data.Orders);
        indexed.Lines.AddRange(data.Lines);
        indexed.Products.AddRange(data.Products);
        indexed.Employees.AddRange(data.Employees);
        await indexed.SaveChangesAsync(Token);
    }

    static string ShownOrFault(Func<object?> query)
    {
        try
        {
            return Shown.Of(query());
        }
        catch (Exception)
        {
            return "an exception";
        }
    }

    static async Task<string> ShownOrFaultAsync(Func<Task<object?>> query)
    {
        try
        {
            return Shown.Of(await query());
        }
        catch (Exception e) when (e is InvalidOperationException or DivideByZeroException or ArgumentOutOfRangeException)
        {
            return "an exception";
        }
        catch (Exception e)
        {
            return $"{e}";
        }
    }

    static string Cut(string text) => text.Length <= 400 ? text : text[..400] + "…";
}
