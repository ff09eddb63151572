using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Query;

/// <summary>Tests of conditions with many values: a query looks each value up or reads the range between them, whichever reads less.</summary>
public sealed class ManyValuesTests(StoreFixture store) : IAsyncLifetime
{
    const int Count = 3_000;

    List<Item> _items = [];
    List<Part> _parts = [];

    static CancellationToken Token => TestContext.Current.CancellationToken;

    public static TheoryData<int, int> Lists { get; } = new() { { 1_200, 50 }, { 2_500, 2 } };

    public async ValueTask InitializeAsync()
    {
        await using var db = Context();
        _items = [.. Enumerable.Range(0, Count).Select(id => new Item { Id = id, Code = Code(id), Marks = [id % 700, -id] })];
        _parts = [.. Enumerable.Range(0, Count).Select(i => new Part { Order = i / 3, Line = i % 3, Price = i % 7 })];
        db.Items.PutRange(_items);
        db.Parts.PutRange(_parts);
        await db.SaveChangesAsync(Token);
    }

    public ValueTask DisposeAsync() => default;

    [Theory]
    [MemberData(nameof(Lists))]
    public async Task Queries_with_many_values_match_LINQ_to_Objects(int count, int step)
    {
        await using var db = Context();
        // The values are unordered, include duplicates, and many of them match nothing.
        List<int> numbers = [.. Enumerable.Range(0, count).Select(i => i * step).Reverse(), 7, 7];
        string[] codes = [.. numbers.Select(Code)];

        Assert.EndsWith($"{count + 2} values), or one scan of the range if that is cheaper", db.Items.Where(i => numbers.Contains(i.Id)).Explain(), StringComparison.Ordinal);
        await Finds(
            db.Items.Where(i => numbers.Contains(i.Id)), _items.Where(i => numbers.Contains(i.Id)),
            $"many items: key lookup where Id in ({(count - 1) * step}, ");
        await Finds(db.Items.Where(i => codes.Contains(i.Code)), _items.Where(i => codes.Contains(i.Code)), "many items: index Code where Code in ('");
        await Finds(
            db.Items.Where(i => numbers.Contains(i.Id) && i.Code.Length > 4).OrderByDescending(i => i.Id).Take(20),
            _items.Where(i => numbers.Contains(i.Id) && i.Code.Length > 4).OrderByDescending(i => i.Id).Take(20), "many items: key lookup");
        await Finds(
            db.Parts.Where(p => numbers.Contains(p.Order)), _parts.Where(p => numbers.Contains(p.Order)), "many parts: key range where Order in (");
        await Finds(
            db.Parts.Where(p => numbers.Contains(p.Order) && p.Line == 1).OrderByDescending(p => p.Order).ThenByDescending(p => p.Line),
            _parts.Where(p => numbers.Contains(p.Order) && p.Line == 1).Reverse(), "many parts: key lookup where Order in (");
        await Finds(
            db.Parts.Where(p => numbers.Contains(p.Order)).OrderByDescending(p => p.Order).ThenByDescending(p => p.Line),
            _parts.Where(p => numbers.Contains(p.Order)).Reverse(), "many parts: key range where Order in (");
        await Finds(
            db.Items.Where(i => numbers.Contains(i.Id) || i.Marks.Contains(5)), _items.Where(i => numbers.Contains(i.Id) || i.Marks.Contains(5)),
            "many items: key lookup");

        static async Task Finds<T>(Query<T> query, IEnumerable<T> expected, string plan)
        {
            var results = expected.ToList();
            Assert.StartsWith(plan, query.Explain(), StringComparison.Ordinal);
            Assert.Equal(results.Select(result => $"{result}"), (await query.ToListAsync(Token)).Select(result => $"{result}"));
            Assert.Equal(results.Count, await query.CountAsync(Token));
        }
    }

    [Fact]
    public async Task Single_value_is_looked_up_in_preference_to_many()
    {
        await using var db = Context();
        List<int> numbers = [.. Enumerable.Range(0, 2_000)];
        Assert.StartsWith(
            "many items: index Code where Code = 'x'; check ", db.Items.Where(i => numbers.Contains(i.Id) && i.Code == "x").Explain(), StringComparison.Ordinal);
    }

    /// <summary>Returns a code. Some codes are longer than an index entry and equal in the part that the index holds.</summary>
    static string Code(int id) => id % 5 == 0 ? new string('c', 210) + id : $"c{id}";

    ManyContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };
}

public sealed partial class ManyContext(DatacakeNode node) : DatacakeContext(node)
{
    [Keyspace("many items")]
    public partial Keyspace<Item> Items { get; }

    [Keyspace("many parts")]
    public partial Keyspace<Part> Parts { get; }
}

public sealed record Item
{
    [DatabaseGenerated(DatabaseGeneratedOption.None)] public int Id { get; set; }
    [Index] public string Code { get; set; } = "";
    [Index] public HashSet<int> Marks { get; set; } = [];

    public override string ToString() => $"{Id} {Code}";
}

public sealed record Part
{
    [Key] public int Order { get; set; }
    [Key] public int Line { get; set; }
    public decimal Price { get; set; }
}
