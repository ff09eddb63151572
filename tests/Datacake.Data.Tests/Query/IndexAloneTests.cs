using System.ComponentModel.DataAnnotations.Schema;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>Tests of queries that read nothing but an index.</summary>
public sealed class IndexAloneTests : QueriedStore, IAsyncLifetime
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
    public async Task Aggregates_of_indexed_properties_read_no_document()
    {
        await using var db = new SpareContext(_node);
        await ExpectAsync(_parts.Sum(p => p.Rank) ?? 0, parts => parts.SumAsync(p => p.Rank, Token));
        await ExpectAsync(_parts.Sum(p => (long)p.State), parts => parts.SumAsync(p => (long)p.State, Token));
        await ExpectAsync(_parts.Average(p => p.Rank), parts => parts.AverageAsync(p => p.Rank, Token));
        await ExpectAsync(_parts.Where(p => p.Rank > 0).Sum(p => p.Rank) ?? 0, parts => parts.Where(p => p.Rank > 0).SumAsync(p => p.Rank, Token));
        await ExpectAsync(_parts.Count(p => p.Kind?.Length > 3), parts => parts.CountAsync(p => p.Kind != null && p.Kind.Length > 3, Token));
        await ExpectAsync(_parts.Exists(p => p.Rank == 3), parts => parts.AnyAsync(p => p.Rank == 3, Token));
        await ExpectAsync(_parts.Max(p => p.Rank * p.Rank), parts => parts.MaxAsync(p => p.Rank * p.Rank, Token));
        await ExpectAsync(_parts.Where(p => p.Rank > 0).Min(p => -p.Rank), parts => parts.Where(p => p.Rank > 0).MinAsync(p => -p.Rank, Token));

        Task ExpectAsync<TResult>(TResult expected, Func<Query<Spare>, Task<TResult>> compute) => CompareAsync(db, expected, compute, documents: 0);
    }

    [Fact]
    public async Task Projections_in_the_order_of_an_index_read_no_document()
    {
        await using var db = new SpareContext(_node);
        var states = _parts.OrderBy(p => p.State).ThenBy(p => p.Id).Select(p => (p.Id, p.State)).ToList();
        await ExpectAsync(states, parts => parts.OrderBy(p => p.State).Select(p => ValueTuple.Create(p.Id, p.State)).ToListAsync(Token));
        await ExpectAsync(states[40..60], parts => parts.OrderBy(p => p.State).Skip(40).Take(20).Select(p => ValueTuple.Create(p.Id, p.State)).ToListAsync(Token));
        await ExpectAsync(
            [.. _parts.Where(p => p.Rank == 1).Select(p => p.Rank)], parts => parts.Where(p => p.Rank == 1).Select(p => p.Rank).ToListAsync(Token));

        Task ExpectAsync<TResult>(List<TResult> expected, Func<Query<Spare>, Task<List<TResult>>> compute) => CompareAsync(db, expected, compute, documents: 0);
    }

    [Fact]
    public async Task Distinct_values_of_an_index_are_in_the_order_in_which_they_first_occur_and_read_no_document()
    {
        await using var db = new SpareContext(_node);
        await ExpectAsync(parts => parts.Select(p => p.Rank), parts => parts.Select(p => p.Rank).Distinct());
        await ExpectAsync(parts => parts.Select(p => p.Kind), parts => parts.Select(p => p.Kind).Distinct());
        await ExpectAsync(parts => parts.Select(p => p.State), parts => parts.Select(p => p.State).Distinct());
        await ExpectAsync(parts => parts.Where(p => p.Rank > 0).Select(p => p.Rank), parts => parts.Where(p => p.Rank > 0).Select(p => p.Rank).Distinct());
        await ExpectAsync(parts => parts.Where(p => p.Rank > 90).Select(p => p.Rank), parts => parts.Where(p => p.Rank > 90).Select(p => p.Rank).Distinct());
        await ExpectAsync(parts => parts.Where(p => p.Group == 2).Select(p => p.Code), parts => parts.Where(p => p.Group == 2).Select(p => p.Code).Distinct());
        await ExpectAsync(parts => parts.Select(p => p.Rank).Order(), parts => parts.Select(p => p.Rank).Distinct().Order());
        await CompareAsync(db, _parts.Select(p => p.Rank).Distinct().Order().Take(3).ToList(), parts => parts.Select(p => p.Rank).Distinct().Order().Take(3).ToListAsync(Token), documents: 0);
        await CompareAsync(db, _parts.Select(p => p.Kind).Distinct().Count(), parts => parts.Select(p => p.Kind).Distinct().CountAsync(Token), documents: 0);

        Task ExpectAsync<TResult>(Func<IEnumerable<Spare>, IEnumerable<TResult>> expected, Func<Query<Spare>, Query<TResult>> query) =>
            CompareAsync(db, expected(_parts).Distinct().ToList(), parts => query(parts).ToListAsync(Token), documents: 0);
    }

    [Fact]
    public async Task Distinct_values_that_no_index_has_in_order_are_those_of_all_entities()
    {
        await using var db = new SpareContext(_node);
        await ExpectAsync(parts => parts.Select(p => p.Text), parts => parts.Select(p => p.Text).Distinct());
        await ExpectAsync(parts => parts.Select(p => p.Price), parts => parts.Select(p => p.Price).Distinct());
        await ExpectAsync(parts => parts.Select(p => p.Size), parts => parts.Select(p => p.Size).Distinct());
        await ExpectAsync(parts => parts.Take(5).Select(p => p.Rank), parts => parts.Take(5).Select(p => p.Rank).Distinct());
        await ExpectAsync(parts => parts.Reverse().Select(p => p.Rank), parts => parts.Reverse().Select(p => p.Rank).Distinct());
        await ExpectAsync(parts => parts.Where(p => p.Size > 0).Select(p => p.Rank), parts => parts.Where(p => p.Size > 0).Select(p => p.Rank).Distinct());
        await ExpectAsync(parts => parts.Where(p => p.Rank > 0 && p.Rank % 2 == 1).Select(p => p.Rank), parts => parts.Where(p => p.Rank > 0 && p.Rank % 2 == 1).Select(p => p.Rank).Distinct());
        await ExpectAsync(parts => parts.OrderByDescending(p => p.State).Select(p => p.Rank), parts => parts.OrderByDescending(p => p.State).Select(p => p.Rank).Distinct());

        async Task ExpectAsync<TResult>(Func<IEnumerable<Spare>, IEnumerable<TResult>> expected, Func<Query<Spare>, Query<TResult>> query) =>
            Assert.Equal(expected(_parts).Distinct(), await query(db.Parts).ToListAsync(Token));
    }

    [Fact]
    public async Task Values_that_an_index_does_not_have_exactly_are_read_from_documents()
    {
        await using var db = new SpareContext(_node);
        await CompareAsync(db, $"{_parts.Sum(p => p.Price)}", async parts => $"{await parts.SumAsync(p => p.Price, Token)}", _parts.Count);
        await CompareAsync(db, _parts.Sum(p => p.Weight), parts => parts.SumAsync(p => p.Weight, Token), _parts.Count);
        await CompareAsync(db, _parts.Sum(p => p.Tags.Count), parts => parts.SumAsync(p => p.Tags.Count, Token), _parts.Count);
        await CompareAsync(db, _parts.Sum(p => p.Size), parts => parts.SumAsync(p => p.Size, Token), _parts.Count);
    }

    [Fact]
    public async Task Values_that_an_index_has_cut_off_are_read_from_their_documents()
    {
        await using var db = new SpareContext(_node);
        int cutOff = _parts.Count(p => p.Text.Length >= 199);
        Assert.InRange(cutOff, 1, _parts.Count - 1);
        var (total, documents) = await ObserveAsync(db, parts => parts.SumAsync(p => p.Text.Length, Token));
        Assert.Equal(_parts.Sum(p => p.Text.Length), total);
        Assert.InRange(documents, cutOff, _parts.Count - 1);
    }

    [Fact]
    public async Task Groups_by_an_indexed_property_read_no_document_and_come_in_the_order_of_their_first_entities()
    {
        await using var db = new SpareContext(_node);
        await ExpectAsync(
            _parts.GroupBy(p => p.Kind).Select(g => (g.Key, g.Count())).ToList(),
            parts => parts.GroupBy(p => p.Kind).Select(g => ValueTuple.Create(g.Key, g.Count())).ToListAsync(Token), documents: 0);
        await ExpectAsync(
            _parts.GroupBy(p => p.State == SpareState.New).Select(g => (g.Key, g.LongCount(), g.Sum(p => (long)p.State), g.Max(p => (int)p.State))).ToList(),
            parts => parts.GroupBy(p => p.State == SpareState.New)
                .Select(g => ValueTuple.Create(g.Key, g.LongCount(), g.Sum(p => (long)p.State), g.Max(p => (int)p.State))).ToListAsync(Token), documents: 0);
        await ExpectAsync(
            _parts.GroupBy(p => p.Group).Select(g => (g.Key, g.Sum(p => p.Size), g.Average(p => p.Code), g.Min(p => p.Price), g.Count(p => p.Size > 0))).ToList(),
            parts => parts.GroupBy(p => p.Group)
                .Select(g => ValueTuple.Create(g.Key, g.Sum(p => p.Size), g.Average(p => p.Code), g.Min(p => p.Price), g.Count(p => p.Size > 0))).ToListAsync(Token), _parts.Count);
        await ExpectAsync(
            _parts.Where(p => p.Rank > 0).GroupBy(p => p.Group).Select(g => (g.Key, g.Sum(p => p.Weight))).ToList(),
            parts => parts.Where(p => p.Rank > 0).GroupBy(p => p.Group).Select(g => ValueTuple.Create(g.Key, g.Sum(p => p.Weight))).ToListAsync(Token), _parts.Count(p => p.Rank > 0));

        Task ExpectAsync<TResult>(List<TResult> expected, Func<Query<Spare>, Task<List<TResult>>> compute, int documents) => CompareAsync(db, expected, compute, documents);
    }

    [Fact]
    public async Task Aggregates_that_a_projection_of_groups_does_not_always_compute_do_not_throw()
    {
        await using var db = new SpareContext(_node);
        Assert.Equal(
            _parts.GroupBy(p => p.Size).Select(g => (g.Key, g.Key == 0 ? 0 : g.Sum(p => 10 / p.Size))),
            await db.Parts.GroupBy(p => p.Size).Select(g => ValueTuple.Create(g.Key, g.Key == 0 ? 0 : g.Sum(p => 10 / p.Size))).ToListAsync(Token));
    }

    [Fact]
    public async Task Entities_of_a_set_index_with_several_sought_values_count_once()
    {
        await using var db = new SpareContext(_node);
        string[] tags = ["bolt", "nut"];
        Assert.Equal(_parts.Count(p => p.Tags.Overlaps(tags)), await db.Parts.CountAsync(p => p.Tags.Overlaps(tags), Token));
        Assert.Equal(_parts.Count(p => p.Tags.Contains("nut")), await db.Parts.CountAsync(p => p.Tags.Contains("nut"), Token));
    }

    [Fact]
    public async Task Entities_whose_class_or_constructor_needs_stored_values_are_read_from_documents()
    {
        await using var db = new RecordContext(_node) { DefaultConsistency = Consistency.None };
        db.Reels.AddRange(Enumerable.Range(1, 50).Select(i => new Reel(i, i % 5, $"reel {i}")));
        await db.SaveChangesAsync(Token);
        Assert.Equal(Enumerable.Range(1, 50).Sum(i => i % 5), await db.Reels.SumAsync(r => r.Length, Token));
        Assert.Equal(10, await db.Reels.CountAsync(r => r.Length * 2 == 4, Token));
    }

    [Fact]
    public async Task Documents_that_have_expired_are_not_counted()
    {
        await using var db = new RecordContext(_node) { DefaultConsistency = Consistency.None };
        var now = DateTimeOffset.UtcNow;
        db.Notices.AddRange(Enumerable.Range(1, 20).Select(i => new Notice { Id = i, Level = i, Expires = i <= 5 ? now.AddMilliseconds(200) : now.AddHours(1) }));
        await db.SaveChangesAsync(Token);
        long expected = Enumerable.Range(6, 15).Sum();
        await Eventually.WaitUntilAsync(async () => await db.Notices.SumAsync(n => (long)n.Level, Token) == expected, "those that expire are gone");
        Assert.Equal(15, await db.Notices.CountAsync(n => n.Level > 0, Token));
    }

    static async Task CompareAsync<TResult>(SpareContext db, TResult expected, Func<Query<Spare>, Task<TResult>> compute, long documents)
    {
        var (result, read) = await ObserveAsync(db, compute);
        Assert.Equal(expected, result);
        Assert.Equal(documents, read);
    }

    static async Task<(TResult Result, long Documents)> ObserveAsync<TResult>(SpareContext db, Func<Query<Spare>, Task<TResult>> compute)
    {
        var observer = new Reads();
        db.Interceptors.Add(observer);
        var result = await compute(db.Parts);
        db.Interceptors.Remove(observer);
        return (result, observer.Documents);
    }

    sealed class Reads : DatacakeInterceptor
    {
        public long Documents { get; private set; }

        public override ValueTask QueryExecutedAsync(DatacakeContext context, QueryExecutedEventArgs query)
        {
            Documents += query.DocumentsRead;
            return default;
        }
    }
}

public sealed record Reel([property: DatabaseGenerated(DatabaseGeneratedOption.None)] long Id, [property: Index] int Length, string Name);

public sealed class Notice
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public long Id { get; set; }
    [Index] public int Level { get; set; }
    [Expires] public DateTimeOffset? Expires { get; set; }
}

public sealed partial class RecordContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("reels")]
    public partial Keyspace<Reel> Reels { get; }

    [Keyspace("notices")]
    public partial Keyspace<Notice> Notices { get; }
}
