using System.Linq.Expressions;
using Datacake.Data.Tests.Shop;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>
/// Tests that random queries match LINQ to Objects over the same data with every storage provider.
/// </summary>
public sealed class QueryDifferentialTests : QueriedStore
{
    static readonly string[] KindsOfPlans = ["full scan", "key range", "key lookup", "index", "descending", " or ", "in memory", "nothing"];

    readonly HashSet<string> _kindsSeen = [];
    List<Everything> _entities = [];

    [Theory]
    [MemberData(nameof(Providers))]
    public async Task Random_queries_match_LINQ_to_Objects(string provider)
    {
        await using var node = await StartAsync(provider);
        _entities = await QueriedData.FillAsync(node, Token);
        await CompareAll(Count, random => Compare(node, random));
        // The queries have tested the planner only if every kind of plan was used.
        Assert.Equal(KindsOfPlans.Order(), _kindsSeen.Order());
    }

    async Task Compare(DatacakeNode node, Random random)
    {
        await using var db = new QueryContext(node);
        var generator = new RandomQuery(random, _entities);
        Query<Everything> query = db.Everything;
        IEnumerable<Everything> expected = _entities;
        for (int i = random.Next(3); i > 0; i--)
        {
            var predicate = generator.Predicate();
            query = query.Where(predicate);
            expected = expected.Where(predicate.Compile());
        }
        if (random.Next(2) == 0)
        {
            query = generator.Order(query, expected, out var ordered);
            expected = ordered;
        }
        if (random.Next(3) == 0)
        {
            int skip = random.Next(5);
            (query, expected) = (query.Skip(skip), expected.Skip(skip));
        }
        if (random.Next(3) == 0)
        {
            int take = random.Next(8);
            (query, expected) = (query.Take(take), expected.Take(take));
        }
        if (random.Next(6) == 0)
        {
            var predicate = generator.Predicate(depth: 1);
            (query, expected) = (query.Where(predicate), expected.Where(predicate.Compile()));
        }
        string plan = query.Explain();
        _kindsSeen.UnionWith(KindsOfPlans.Where(plan.Contains));
        try
        {
            await CompareResults(random.Next(20), query, [.. expected], generator.Predicate(depth: 1), Token);
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"{e.Message}\nPlan: {plan}", e);
        }
    }

    static async Task CompareResults(
        int kind, Query<Everything> query, List<Everything> expected, Expression<Func<Everything, bool>> predicate, CancellationToken token)
    {
        var compiled = predicate.Compile();
        switch (kind)
        {
            case 0:
                Assert.Equal(expected.Count, await query.CountAsync(token));
                break;
            case 1:
                Assert.Equal(expected.Count(compiled), await query.LongCountAsync(predicate, token));
                break;
            case 2:
                Assert.Equal(expected.Any(compiled), await query.AnyAsync(predicate, token));
                break;
            case 3:
                Assert.Equal(expected.TrueForAll(e => compiled(e)), await query.AllAsync(predicate, token));
                break;
            case 4:
                Assert.Equal(expected.Sum(e => e.Decimal), await query.SumAsync(e => e.Decimal, token));
                Assert.Equal(expected.Sum(e => e.NullableInt32), await query.SumAsync(e => e.NullableInt32, token));
                break;
            case 5:
                Assert.Equal(expected.Min(e => e.NullableInt32), await query.MinAsync(e => e.NullableInt32, token));
                Assert.Equal(
                    expected.Select(e => e.NullableString).Max(StringComparer.Ordinal), await query.MaxAsync(e => e.NullableString, token));
                Assert.Equal(expected.Max(e => (byte?)e.Byte), await query.MaxAsync(e => (byte?)e.Byte, token));
                Assert.Equal(expected.Max(e => e.NullableStatus), await query.MaxAsync(e => e.NullableStatus, token));
                break;
            case 6:
                Assert.Equal(expected.Average(e => e.NullableInt32), await query.AverageAsync(e => e.NullableInt32, token));
                break;
            case 7:
                Assert.Equal(expected.FirstOrDefault()?.Id, (await query.FirstOrDefaultAsync(token))?.Id);
                break;
            case 8:
                Assert.Equal(expected.LastOrDefault()?.Id, (await query.LastOrDefaultAsync(token))?.Id);
                break;
            case 9:
                Assert.Equal(expected.Select(e => e.Int32).Distinct(), await query.Select(e => e.Int32).Distinct().ToListAsync(token));
                break;
            case 10:
                Assert.Equal(
                    expected.Select(e => (e.Id, e.String)), await query.Select(e => ValueTuple.Create(e.Id, e.String)).ToListAsync(token));
                Assert.Equal(
                    expected.Select(e => (e.Owned?.Text, e.Set.Count, e.Counter, e.Computed)),
                    await query.Select(e => ValueTuple.Create(e.Owned == null ? null : e.Owned.Text, e.Set.Count, e.Counter, e.Computed)).ToListAsync(token));
                break;
            case 11:
                Assert.Equal(
                    expected.Select(e => e.Int32 * 2).Where(i => i > 0).OrderByDescending(i => i).Skip(1).Take(5),
                    await query.Select(e => e.Int32 * 2).Where(i => i > 0).OrderByDescending(i => i).Skip(1).Take(5).ToListAsync(token));
                break;
            case 12:
                Assert.Equal(expected.Count == 1, (await Record.ExceptionAsync(() => query.SingleAsync(token))) is null);
                break;
            case 13:
                Assert.Equal(expected.Select(e => e.Id).Order(), (await query.ToDictionaryAsync(e => e.Id, token)).Keys.Order());
                break;
            case 14:
                var streamed = new List<Guid>();
                await foreach (var entity in query.AsNoTracking().WithCancellation(token))
                    streamed.Add(entity.Id);
                Assert.Equal(expected.Select(e => e.Id), streamed);
                break;
            default:
                Assert.Equal(expected.Select(e => e.Id), (await query.ToListAsync(token)).Select(e => e.Id));
                break;
        }
    }
}
