using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>
/// Tests that queries that skip and take return what LINQ to Objects returns, whether an index has their order, a part of it, or none.
/// </summary>
public sealed class EarlyEndDifferentialTests : QueriedStore
{
    static readonly string[] KindsOfPlans =
    [
        "index Kind", "index Rank, descending", "index Text", "index Group_Code where Group", "index Group_Size", "index Tags", "full scan", "in memory, keeping", ", then ", "in the index",
        "descending; skip",
    ];

    readonly HashSet<string> _kindsSeen = [];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Queries_that_skip_and_take_match_LINQ_to_Objects(string provider)
    {
        await using var node = await StartAsync(provider);
        // A group of equal values is longer than a page.
        var parts = await SpareContext.FillAsync(node, 900, Token);
        await CompareAll(2 * Count, random => CompareAsync(node, parts, random));
        Assert.Equal(KindsOfPlans.Order(), _kindsSeen.Order());
    }

    async Task CompareAsync(DatacakeNode node, List<Spare> parts, Random random)
    {
        await using var db = new SpareContext(node);
        Query<Spare> query = db.Parts;
        IEnumerable<Spare> expected = parts;
        (query, expected) = Filter(query, expected, random);
        if (random.Next(8) > 0)
        {
            var order = SpareOrder.All[random.Next(SpareOrder.All.Count)];
            var (ordered, inMemory) = (order.First(query), order.FirstInMemory(expected));
            for (int i = random.Next(3); i > 0; i--)
            {
                var next = random.Next(3) == 0 ? SpareOrder.All[random.Next(2)] : SpareOrder.All[random.Next(SpareOrder.All.Count)];
                (ordered, inMemory) = (next.Next(ordered), next.NextInMemory(inMemory));
            }
            (query, expected) = (ordered, inMemory);
        }
        if (random.Next(4) == 0)
            (query, expected) = (query.Reverse(), expected.Reverse());
        if (random.Next(3) > 0)
        {
            int skip = random.Next(3) switch { 0 => random.Next(5), 1 => random.Next(100), _ => random.Next(parts.Count + 20) };
            (query, expected) = (query.Skip(skip), expected.Skip(skip));
        }
        if (random.Next(3) > 0)
        {
            int take = random.Next(2) == 0 ? random.Next(5) : random.Next(200);
            (query, expected) = (query.Take(take), expected.Take(take));
        }
        string plan = query.Explain();
        _kindsSeen.UnionWith(KindsOfPlans.Where(plan.Contains));
        try
        {
            await CompareResultsAsync(random.Next(9), query, [.. expected]);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\nPlan: {plan}", e);
        }
    }

    static (Query<Spare>, IEnumerable<Spare>) Filter(Query<Spare> query, IEnumerable<Spare> expected, Random random)
    {
        int group = random.Next(4), rank = random.Next(-3, 3);
        long code = random.Next(8);
        return random.Next(9) switch
        {
            0 => (query.Where(p => p.Kind == "nut"), expected.Where(p => p.Kind == "nut")),
            1 => (query.Where(p => p.Group == group), expected.Where(p => p.Group == group)),
            2 => (query.Where(p => p.Rank >= rank), expected.Where(p => p.Rank >= rank)),
            3 => (query.Where(p => p.Group == group && p.Code == code), expected.Where(p => p.Group == group && p.Code == code)),
            4 => (query.Where(p => p.Tags.Contains("bolt")), expected.Where(p => p.Tags.Contains("bolt"))),
            5 => (query.Where(p => p.Kind == "ring" && p.Size > 0), expected.Where(p => p.Kind == "ring" && p.Size > 0)),
            _ => (query, expected),
        };
    }

    static async Task CompareResultsAsync(int kind, Query<Spare> query, List<Spare> expected)
    {
        switch (kind)
        {
            case 0:
                Assert.Equal(expected.Count, await query.CountAsync(Token));
                break;
            case 1:
                Assert.Equal(expected.Count > 0, await query.AnyAsync(Token));
                break;
            case 2:
                Assert.Equal(expected.FirstOrDefault()?.Id, (await query.FirstOrDefaultAsync(Token))?.Id);
                Assert.Equal(expected.LastOrDefault()?.Id, (await query.LastOrDefaultAsync(Token))?.Id);
                break;
            case 3:
                Assert.Equal(expected.Select(p => (p.Id, p.Name)), await query.Select(p => ValueTuple.Create(p.Id, p.Name)).ToListAsync(Token));
                Assert.Equal(expected.Select(p => p.Rank).Distinct(), await query.Select(p => p.Rank).Distinct().ToListAsync(Token));
                Assert.Equal(expected.Select(p => p.Kind).Distinct(), await query.Select(p => p.Kind).Distinct().ToListAsync(Token));
                Assert.Equal(expected.Select(p => p.Code).Distinct(), await query.Select(p => p.Code).Distinct().ToListAsync(Token));
                Assert.Equal(expected.Select(p => p.Text).Distinct(), await query.Select(p => p.Text).Distinct().ToListAsync(Token));
                break;
            case 4:
                // Neither sort can be moved to the store.
                Assert.Equal(
                    expected.Select(p => p.Name).Distinct().OrderByDescending(name => name, StringComparer.Ordinal).Skip(1).Take(2),
                    await query.Select(p => p.Name).Distinct().OrderByDescending(name => name).Skip(1).Take(2).ToListAsync(Token));
                Assert.Equal(
                    expected.Select(p => new { p.Kind, p.Group }).Distinct().OrderBy(pair => pair.Group).Take(3),
                    await query.Select(p => new { p.Kind, p.Group }).Distinct().OrderBy(pair => pair.Group).Take(3).ToListAsync(Token));
                break;
            case 5:
                Assert.Equal(
                    expected.GroupBy(p => p.Size).OrderBy(g => g.Count()).ThenByDescending(g => g.Key).Take(4).Skip(1).Select(g => g.Key),
                    await query.GroupBy(p => p.Size).OrderBy(g => g.Count()).ThenByDescending(g => g.Key).Take(4).Skip(1).Select(g => g.Key).ToListAsync(Token));
                break;
            case 6:
                Assert.Equal(expected.Select(p => p.Id), (await query.AsNoTracking().ToListAsync(Token)).Select(p => p.Id));
                break;
            default:
                Assert.Equal(expected.Select(p => p.Id), (await query.ToListAsync(Token)).Select(p => p.Id));
                break;
        }
    }
}
