using Datacake.Data.Querying;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>Tests of pages that continue after an entity.</summary>
public sealed class KeysetPagingTests : QueriedStore
{
    static readonly string[] KindsOfPlans =
    [
        "in the index", "in the keys", "in memory", "index Rank, descending", "index Rank;", "index Text", "index Text, descending", "index Group_Code where Group", "index Group_Size", "keeping", ", then ", "check ",
    ];

    readonly HashSet<string> _kindsSeen = [];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Pages_after_the_last_entity_are_the_whole_list(string provider)
    {
        await using var node = await StartAsync(provider);
        var parts = await SpareContext.FillAsync(node, 900, Token);
        await CompareAll(Count / 7, random => CompareAsync(node, parts, random));
        Assert.Equal(KindsOfPlans.Order(), _kindsSeen.Order());
    }

    [Fact]
    public async Task After_in_the_order_of_an_index_or_of_the_keys_reads_only_the_entities_that_are_returned()
    {
        await using var node = await StartAsync("memory");
        var parts = await SpareContext.FillAsync(node, 900, Token);
        await using var db = new SpareContext(node);
        var last = parts[500];
        foreach (var ordered in (Query<Spare>[])[
            db.Parts.OrderBy(p => p.Id), db.Parts.OrderByDescending(p => p.Id), db.Parts.OrderBy(p => p.Rank), db.Parts.OrderByDescending(p => p.Rank),
            db.Parts.OrderByDescending(p => p.Rank).ThenByDescending(p => p.Id), db.Parts.OrderBy(p => p.Kind).ThenBy(p => p.Id), db.Parts.OrderByDescending(p => p.State),
            db.Parts.Where(p => p.Group == last.Group).OrderBy(p => p.Code), db.Parts.OrderBy(p => p.Group).ThenByDescending(p => p.Size),
            db.Parts.OrderByDescending(p => p.Group).ThenBy(p => p.Size)])
        {
            foreach (var page in (Query<Spare>[])[ordered.After(last).Take(5), ordered.Before(last).Reverse().Take(5)])
            {
                var (run, results) = await RunAsync(db, page);
                Assert.True((5, 5) == (results.Count, run.DocumentsRead), $"{page.Explain()}: {results.Count} results, {run.DocumentsRead} documents");
            }
        }
        Assert.Equal("parts: index Rank; order by Rank; after the entity with the key 1500 in the index; take 5", db.Parts.OrderBy(p => p.Rank).After(parts.Single(p => p.Id == 1500)).Take(5).Explain());
        Assert.Equal("parts: key range; order by Id; after the entity with the key 1500 in the keys", db.Parts.OrderBy(p => p.Id).After(new Spare { Id = 1500 }).Explain());
        Assert.Equal(
            "parts: full scan; order by Name in memory, keeping 5; before the entity with the key 1500 in memory; take 5",
            db.Parts.OrderBy(p => p.Name).Before(new Spare { Id = 1500 }).Take(5).Explain());
    }

    [Fact]
    public async Task Results_after_an_entity_are_counted_projected_and_changed_as_they_are_listed()
    {
        await using var node = await StartAsync("memory");
        var parts = await SpareContext.FillAsync(node, 900, Token);
        await using var db = new SpareContext(node) { DefaultConsistency = Consistency.None };
        var place = parts[300];
        var after = db.Parts.OrderByDescending(p => p.Rank).After(place);
        List<Spare> expected = [.. parts.OrderByDescending(p => p.Rank).SkipWhile(p => p != place).Skip(1)];
        Assert.Equal(expected.Select(p => p.Id), (await after.ToListAsync(Token)).Select(p => p.Id));
        Assert.Equal(expected.Count, await after.CountAsync(Token));
        Assert.Equal(parts.OrderBy(p => p.Name, StringComparer.Ordinal).ToList().IndexOf(place), await db.Parts.OrderBy(p => p.Name).Before(place).CountAsync(Token));
        Assert.Equal(expected.Select(p => p.Rank), await after.Select(p => p.Rank).ToListAsync(Token));
        Assert.Equal(expected.Min(p => p.Size), await after.MinAsync(p => p.Size, Token));
        Assert.Equal(expected.Min(p => p.Rank), await after.MinAsync(p => p.Rank, Token));
        Assert.Equal(expected.Sum(p => p.Size), await after.SumAsync(p => p.Size, Token));
        Assert.Equal(expected.Skip(7).Take(3).Select(p => p.Id), (await after.Skip(7).Take(3).ToListAsync(Token)).Select(p => p.Id));
        Assert.Equal(expected.OrderBy(p => p.Size).Select(p => p.Id).Take(9), (await after.OrderBy(p => p.Size).Take(9).ToListAsync(Token)).Select(p => p.Id));
        Assert.Equal(expected.Take(50).Select(p => p.Id), (await after.Before(expected[50]).ToListAsync(Token)).Select(p => p.Id));
        Assert.Equal(expected.Count, (await after.ExecuteUpdateAsync(set => set.SetProperty(p => p.Name, "later"), Token)).Count);
        Assert.Equal(expected.Count, await db.Parts.CountAsync(p => p.Name == "later", Token));
    }

    [Fact]
    public async Task After_without_an_order_of_the_entities_is_refused()
    {
        await using var node = await StartAsync("memory");
        await using var db = new SpareContext(node);
        var place = new Spare { Id = 1 };
        Assert.Throws<ArgumentNullException>(() => db.Parts.OrderBy(p => p.Id).After(null!));
        Assert.Equal(
            "After needs an order, and the query for parts has none. Call OrderBy before After: by Id for the order of the keys.",
            Assert.Throws<InvalidOperationException>(() => db.Parts.After(place)).Message);
        Assert.Equal(
            "Before cannot follow Skip or Take. Call Before before them.",
            Assert.Throws<InvalidOperationException>(() => db.Parts.OrderBy(p => p.Id).Take(3).Before(place)).Message);
        Assert.StartsWith(
            "After needs a query for the entities of a keyspace",
            Assert.Throws<InvalidOperationException>(() => db.Parts.OrderBy(p => p.Id).Select(p => p.Name).After("a")).Message, StringComparison.Ordinal);
    }

    async Task CompareAsync(DatacakeNode node, List<Spare> parts, Random random)
    {
        await using var db = new SpareContext(node);
        Query<Spare> query = db.Parts;
        IEnumerable<Spare> expected = parts;
        int group = random.Next(4);
        if (random.Next(3) == 0)
            (query, expected) = (query.Where(p => p.Group == group), expected.Where(p => p.Group == group));
        if (random.Next(3) == 0)
            (query, expected) = (query.Where(p => p.Size > 0), expected.Where(p => p.Size > 0));
        var order = SpareOrder.All[random.Next(SpareOrder.All.Count)];
        var (ordered, inMemory) = (order.First(query), order.FirstInMemory(expected));
        for (int i = random.Next(3); i > 0; i--)
        {
            var next = random.Next(3) == 0 ? SpareOrder.All[random.Next(2)] : SpareOrder.All[random.Next(SpareOrder.All.Count)];
            (ordered, inMemory) = (next.Next(ordered), next.NextInMemory(inMemory));
        }
        (query, expected) = random.Next(4) == 0 ? (ordered.Reverse(), inMemory.Reverse()) : (ordered, inMemory);
        List<long> ids = [.. expected.Select(p => p.Id)], forward = [], backward = [];
        int size = (random.Next(4) == 0 ? 3 : 30) + random.Next(parts.Count / 3);
        if (random.Next(3) == 0)
            query = query.AsNoTracking();
        string plan = "";
        for (Spare? last = null; ;)
        {
            var page = (last is null ? query : query.After(last)).Take(size);
            plan = page.Explain();
            if (last is not null)
                _kindsSeen.UnionWith(KindsOfPlans.Where(plan.Contains));
            var found = await page.ToListAsync(Token);
            forward.AddRange(found.Select(p => p.Id));
            if (found.Count < size)
                break;
            last = found[^1];
            if (random.Next(4) == 0)
                Assert.Equal(ids.Count - forward.Count, await query.After(last).CountAsync(Token));
        }
        Assert.True(ids.SequenceEqual(forward), $"{plan}: {string.Join(' ', ids)} but {string.Join(' ', forward)}");
        for (Spare? first = null; ;)
        {
            var page = (first is null ? query : query.Before(first)).TakeLast(size);
            plan = page.Explain();
            var found = await page.ToListAsync(Token);
            backward.InsertRange(0, found.Select(p => p.Id));
            if (found.Count < size)
                break;
            first = found[0];
            if (random.Next(4) == 0)
                Assert.Equal(ids[..(ids.Count - backward.Count)], (await query.Before(first).ToListAsync(Token)).Select(p => p.Id));
        }
        Assert.True(ids.SequenceEqual(backward), $"{plan}: {string.Join(' ', ids)} but {string.Join(' ', backward)}");
    }

    static async Task<(QueryRun<Spare> Run, List<Spare> Results)> RunAsync(SpareContext db, Query<Spare> query)
    {
        var store = await DatacakeNodeStoreExtensions.OpenStoreAsync(db.Node, Token);
        using var snapshot = await store.OpenSnapshotAsync(Token);
        var run = ((EntityOperator<Spare>)query.Operator).NewRun();
        var results = new List<Spare>();
        await foreach (var rows in run.ReadAsync(snapshot, Token))
            results.AddRange(rows.Select(row => row.Entity));
        return (run, results);
    }
}
