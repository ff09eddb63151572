using System.Collections.Frozen;
using System.Collections.Immutable;
using System.Collections.ObjectModel;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data.Tests.Shapes;

/// <summary>Tests of immutable collections and of collections behind read-only properties.</summary>
public sealed class CollectionTests(StoreFixture store)
{
    [Fact]
    public async Task Immutable_sets_and_dictionaries_merge_element_by_element_and_keep_their_comparers()
    {
        await AddAsync(new Cabinet { Id = 1, Labels = ["A"], Frozen = FrozenSet.ToFrozenSet(["a"], StringComparer.OrdinalIgnoreCase), Counts = Counts(("x", 1)) });
        await using (var first = Context())
        await using (var second = Context())
        {
            var mine = (await first.Cabinets.FindAsync([1L], Token))!;
            var theirs = (await second.Cabinets.FindAsync([1L], Token))!;
            mine.Labels = mine.Labels.Add("mine");
            mine.Counts = Counts(("x", 1), ("mine", 2));
            theirs.Labels = theirs.Labels.Add("theirs");
            theirs.Counts = Counts(("x", 3));
            await first.SaveChangesAsync(Token);
            await second.SaveChangesAsync(Token);
        }
        var read = await ReadAsync(1);
        Assert.Equal(["A", "mine", "theirs"], read.Labels.Order(StringComparer.Ordinal));
        Assert.Equal([("mine", 2), ("x", 3)], read.Counts.Select(entry => (entry.Key, entry.Value)).Order());
        Assert.Equal("a", read.Frozen.TryGetValue("A", out string? actual) ? actual : null);

        static ImmutableDictionary<string, int> Counts(params (string Key, int Value)[] entries) =>
            entries.ToImmutableDictionary(entry => entry.Key, entry => entry.Value);
    }

    [Fact]
    public async Task Fields_behind_read_only_properties_are_stored()
    {
        var cabinet = new Cabinet { Id = 2 };
        cabinet.Rename("oak");
        cabinet.Tag("Red", 5);
        await AddAsync(cabinet);
        var read = await ReadAsync(2);
        Assert.Equal(("oak", 5), (read.Name, read.Sizes["red"]));
        Assert.Equal(["Red"], read.Tags);
        // The set keeps the comparer that its class specifies.
        read.Tag("RED", 6);
        Assert.Equal(["Red"], read.Tags);
    }

    [Fact]
    public async Task Default_collections_of_a_class_are_replaced_by_stored_ones()
    {
        await AddAsync(new Cabinet { Id = 3, Labels = [], Drawers = { "top" }, Stack = new Stack<int>([1, 2, 3]) });
        var read = await ReadAsync(3);
        Assert.Empty(read.Labels);
        Assert.Equal(["default", "top"], read.Drawers);
        Assert.Equal([3, 2, 1], read.Stack);
        Assert.True(read.Rows.IsDefault);
    }

    async Task AddAsync(Cabinet cabinet)
    {
        await using var db = Context();
        db.Cabinets.Add(cabinet);
        await db.SaveChangesAsync(Token);
    }

    async Task<Cabinet> ReadAsync(long id)
    {
        await using var db = Context();
        return (await db.Cabinets.FindAsync([id], Token))!;
    }

    CabinetContext Context() => new(store.Node) { DefaultConsistency = Consistency.None };

    static CancellationToken Token => TestContext.Current.CancellationToken;
}

public sealed class Cabinet
{
    readonly HashSet<string> _tags = new(StringComparer.OrdinalIgnoreCase);
    readonly Dictionary<string, int> _sizes = new(StringComparer.OrdinalIgnoreCase);
    string _name = "";

    public long Id { get; set; }

    public ImmutableHashSet<string> Labels { get; set; } = ["default"];

    public FrozenSet<string> Frozen { get; set; } = FrozenSet.ToFrozenSet(["default"], StringComparer.OrdinalIgnoreCase);

    public ImmutableDictionary<string, int> Counts { get; set; } = ImmutableDictionary<string, int>.Empty;

    public ObservableCollection<string> Drawers { get; } = ["default"];

    public Stack<int> Stack { get; set; } = [];

    public ImmutableArray<int> Rows { get; set; }

    public IReadOnlyCollection<string> Tags => _tags;

    public IReadOnlyDictionary<string, int> Sizes => _sizes.AsReadOnly();

    public string Name => _name;

    public void Rename(string name) => _name = name;

    public void Tag(string tag, int size)
    {
        _tags.Add(tag);
        _sizes[tag] = size;
    }
}

public sealed partial class CabinetContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Cabinet> Cabinets { get; }
}
