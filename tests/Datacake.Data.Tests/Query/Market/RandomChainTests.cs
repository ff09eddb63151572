using System.Globalization;

namespace Datacake.Data.Tests.Query.Market;

/// <summary>Tests that random chains of operators match LINQ to Objects. DATACAKE_QUERIES sets the number of chains.</summary>
public sealed class RandomChainTests : QueriedStore
{
    [Theory]
    [InlineData("memory", false, "")]
    [InlineData("SQLite", true, "sv-SE")]
    public async Task Chains_of_operators_match_LINQ_to_Objects(string provider, bool isIndexed, string culture)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(culture);
            await using var node = await StartAsync(provider);
            var data = MarketData.Make(seed: 5);
            await MarketTests.FillAsync(node, data);
            var inMemory = MarketSources.Of(data);
            await CompareAll(Count, async random =>
            {
                var chain = new RandomChain(random.Next());
                await using DatacakeContext db = isIndexed ? new IndexedMarketContext(node) : new MarketContext(node);
                var onStore = chain.Over(db is IndexedMarketContext indexed ? MarketSources.Of(indexed, isTracking: true) : MarketSources.Of((MarketContext)db, isTracking: true));
                var expected = chain.Over(inMemory);
                string message = $"{chain.Description}\n{onStore.Explain()}";
                switch (random.Next(8))
                {
                    case 0:
                        Equal(expected.Count(), await onStore.CountAsync(Token), message);
                        break;
                    case 1:
                        Equal(expected.LastOrDefault(), await onStore.LastOrDefaultAsync(Token), message);
                        break;
                    case 2:
                        Equal(expected.FirstOrDefault(), await onStore.FirstOrDefaultAsync(Token), message);
                        break;
                    case 3:
                        Equal(expected.Max(r => r.Rank), await onStore.MaxAsync(r => r.Rank, Token), message);
                        break;
                    case 4:
                        Equal(expected.Any(r => r.Rank == 2), await onStore.AnyAsync(r => r.Rank == 2, Token), message);
                        break;
                    default:
                        Equal(expected.ToList(), await onStore.ToListAsync(Token), message);
                        break;
                }
                Assert.Empty(db.ChangeTracker.Entries());
            });
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    static void Equal(object? expected, object? actual, string message) =>
        Assert.True(Shown.Of(expected) == Shown.Of(actual), $"{message}\nexpected {Shown.Of(expected)}\nbut was  {Shown.Of(actual)}");
}
