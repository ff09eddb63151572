using Datacake.Data.Querying;
using Datacake.Data.Querying.Analysis;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>Tests of how much queries read and hold.</summary>
public sealed class EarlyEndTests : QueriedStore, IAsyncLifetime
{
    DatacakeNode _node = null!;
    List<Spare> _parts = [];

    public async ValueTask InitializeAsync()
    {
        _node = await StartAsync("memory");
        _parts = await SpareContext.FillAsync(_node, 900, Token);
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task Skip_in_the_order_of_an_index_reads_only_the_entities_that_are_returned()
    {
        await using var db = new SpareContext(_node);
        await ExpectAsync(5, db.Parts.OrderBy(p => p.Rank).Skip(400).Take(5));
        await ExpectAsync(5, db.Parts.OrderByDescending(p => p.Rank).Skip(400).Take(5));
        await ExpectAsync(5, db.Parts.OrderByDescending(p => p.Rank).ThenByDescending(p => p.Id).Skip(400).Take(5));
        await ExpectAsync(5, db.Parts.OrderBy(p => p.Rank).Reverse().Skip(400).Take(5));
        await ExpectAsync(5, db.Parts.OrderBy(p => p.Kind).ThenBy(p => p.Id).Skip(400).Take(5));
        await ExpectAsync(5, db.Parts.Where(p => p.Group == 2).OrderBy(p => p.Code).Skip(100).Take(5));
        await ExpectAsync(5, db.Parts.Where(p => p.Group == 2).OrderByDescending(p => p.Size).Skip(100).Take(5));
        await ExpectAsync(5, db.Parts.Where(p => p.Kind == "nut").Skip(50).Take(5));
        await ExpectAsync(5, db.Parts.Where(p => p.Kind == "nut").Reverse().Skip(50).Take(5));
        await ExpectAsync(5, db.Parts.Where(p => p.Kind == "nut").OrderByDescending(p => p.Id).Skip(50).Take(5));
        await ExpectAsync(5, db.Parts.Where(p => p.Tags.Contains("bolt")).Skip(50).Take(5));
        Assert.Equal("parts: index Rank; order by Rank; skip 400 in the index; take 5", db.Parts.OrderBy(p => p.Rank).Skip(400).Take(5).Explain());

        async Task ExpectAsync(int documents, Query<Spare> query)
        {
            var (run, results) = await RunAsync(db, query);
            Assert.Equal((documents, documents), (results.Count, run.DocumentsRead));
            Assert.Contains("in the index", query.Explain(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Skip_reads_entities_that_have_to_be_checked_or_compared()
    {
        await using var db = new SpareContext(_node);
        Assert.Equal(
            "parts: index Rank; check p.Size > 0; order by Rank; skip 40; take 5",
            db.Parts.Where(p => p.Size > 0).OrderBy(p => p.Rank).Skip(40).Take(5).Explain());
        Assert.Equal("parts: index Rank; order by Rank, then Name in memory; skip 40; take 5", db.Parts.OrderBy(p => p.Rank).ThenBy(p => p.Name).Skip(40).Take(5).Explain());
        Assert.Equal("parts: full scan; order by Name in memory, keeping 45; skip 40; take 5", db.Parts.OrderBy(p => p.Name).Skip(40).Take(5).Explain());
        var (run, _) = await RunAsync(db, db.Parts.OrderBy(p => p.Name).Skip(40).Take(5));
        Assert.Equal(_parts.Count, run.DocumentsRead);
    }

    [Fact]
    public async Task Take_in_the_order_of_an_index_reads_no_more_than_it_returns()
    {
        await using var db = new SpareContext(_node);
        foreach (var query in (Query<Spare>[])[
            db.Parts.OrderBy(p => p.Kind).Take(7), db.Parts.OrderByDescending(p => p.Kind).Take(7), db.Parts.OrderByDescending(p => p.State).Take(7),
            db.Parts.Where(p => p.Kind == "nut").Take(7), db.Parts.Where(p => p.Kind == "nut").OrderBy(p => p.Id).Take(7)])
        {
            var (run, results) = await RunAsync(db, query);
            Assert.Equal((7, 7), (results.Count, run.DocumentsRead));
        }
    }

    [Fact]
    public void Sorted_rows_hold_no_more_than_they_return()
    {
        using var db = new SpareContext(_node);
        var random = new Random(2);
        foreach (int limit in (int[])[0, 1, 10, 1000])
        {
            int[] values = [.. Enumerable.Range(0, 500).Select(_ => random.Next(40))];
            IReadOnlyList<Ordering<int>> orderings = [new Ordering<int, int>(value => value / 4, isDescending: true, new CompiledExpressions(db.Parts.Model))];
            foreach (bool isDistinct in (bool[])[false, true])
            {
                var sorted = new SortedRows<int, int>(orderings, value => value, limit) { IsDistinct = isDistinct };
                foreach (int value in values)
                {
                    sorted.Add(value);
                    Assert.True(sorted.Count <= limit);
                }
                Assert.Equal((isDistinct ? values.Distinct() : values).OrderByDescending(value => value / 4).Take(limit), sorted.Take());
                Assert.Equal(0, sorted.Count);
            }
        }
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
