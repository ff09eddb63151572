using Datacake.Data.CodeGeneration;
using Datacake.Data.Generated;
using Datacake.Data.Tests.Shop;
using Datacake.EventualConsistency;

namespace Datacake.Data.Tests.Metadata;

/// <summary>Tests of how concurrent edits of two replicas merge, for each mapping.</summary>
public class MergeTests
{
    static readonly Datacake_Data_Tests_Shop_EverythingModel Model = Datacake_Data_Tests_Shop_EverythingModel.Instance;

    [Fact]
    public void Edits_of_different_properties_both_survive()
    {
        var merged = Merge(new Everything(), e => e.String = "mine", e => e.Decimal = 7);
        Assert.Equal(("mine", 7m), (merged.String, merged.Decimal));
    }

    [Fact]
    public void Later_edit_of_the_same_property_wins() =>
        Assert.Equal("theirs", Merge(new Everything(), e => e.String = "mine", e => e.String = "theirs").String);

    [Fact]
    public void Edits_of_different_properties_of_an_owned_object_both_survive()
    {
        var merged = Merge(new Everything { Owned = new() { Text = "x" } }, e => e.Owned!.Text = "mine", e => e.Owned!.Point = new(1, 2));
        Assert.Equal(("mine", new GeoPoint(1, 2)), (merged.Owned!.Text, merged.Owned.Point));
    }

    [Fact]
    public void Increments_add_up()
    {
        var merged = Merge(
            new Everything { Counter = 10, SmallCounter = 1, Owned = new() { Counter = 5 } },
            e => (e.Counter, e.SmallCounter, e.Owned!.Counter) = (e.Counter + 3, 5, 6),
            e => (e.Counter, e.SmallCounter, e.Owned!.Counter) = (e.Counter - 1, 0, 4));
        Assert.Equal((12L, 4, 5L), (merged.Counter, merged.SmallCounter, merged.Owned!.Counter));
    }

    [Fact]
    public void Additions_and_removals_of_different_set_elements_all_survive()
    {
        var merged = Merge(
            new Everything { Set = ["a", "b", "c"] },
            e => { e.Set.Remove("a"); e.Set.Add("mine"); },
            e => { e.Set.Remove("b"); e.Set.Add("theirs"); });
        Assert.Equal(["c", "mine", "theirs"], merged.Set.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Addition_to_a_set_survives_when_another_node_sets_the_set_to_null()
    {
        var merged = Merge(new Everything { DecimalSet = new HashSet<decimal> { 1 } }, e => e.DecimalSet = null, e => e.DecimalSet!.Add(2));
        Assert.Equal([2m], merged.DecimalSet!);
    }

    [Fact]
    public void Dictionaries_merge_entry_by_entry()
    {
        var merged = Merge(
            new Everything { Prices = { ["a"] = 1, ["b"] = 2, ["c"] = 3 } },
            e => { e.Prices["a"] = 10; e.Prices.Remove("b"); e.Prices["mine"] = 4; },
            e => { e.Prices["c"] = 30; e.Prices["theirs"] = 5; });
        Assert.Equal(
            [("a", 10m), ("c", 30m), ("mine", 4m), ("theirs", 5m)], merged.Prices.Select(entry => (entry.Key, entry.Value)).Order());
    }

    [Fact]
    public void Later_edit_of_a_list_replaces_the_whole_list() =>
        Assert.Equal(["a", "theirs"], Merge(new Everything { List = ["a"] }, e => e.List.Add("mine"), e => e.List.Add("theirs")).List);

    [Fact]
    public void Owned_object_that_one_node_removes_and_another_edits_is_gone()
    {
        var merged = Merge(new Everything { Owned = new() { Text = "x" } }, e => e.Owned = null, e => e.Owned!.Text = "theirs");
        Assert.Null(merged.Owned);
    }

    [Fact]
    public void Values_of_a_removed_owned_object_do_not_reappear_in_a_new_one()
    {
        var replica = new TestReplica(1);
        Put(replica, new Everything { Owned = new() { Text = "x", Set = [1] } }, 1);
        Edit(replica, e => e.Owned = null, 2);
        Edit(replica, e => e.Owned = new Owned { Counter = 2 }, 3);
        var read = Read(replica);
        Assert.Equal((null, 2L), (read.Owned!.Text, read.Owned.Counter));
        Assert.Empty(read.Owned.Set);
    }

    /// <summary>Lets two replicas edit the same entity, the second one later, and merges them in both directions.</summary>
    static Everything Merge(Everything entity, Action<Everything> mine, Action<Everything> theirs)
    {
        var first = new TestReplica(1);
        var second = new TestReplica(2);
        Put(first, entity, 1);
        second.MergeFrom(first);
        Edit(first, mine, 2);
        Edit(second, theirs, 3);
        first.MergeFrom(second);
        second.MergeFrom(first);
        Assert.Equal(first.Document, second.Document);
        return Read(first);
    }

    static void Put(TestReplica replica, Everything entity, ulong time)
    {
        var content = Model.Encode(entity, new CellWriter());
        var transaction = new Transaction();
        transaction.Put("x", Model.KeyOf(entity), content.Cells, content.Counters);
        replica.Apply(transaction.Operations[0], time);
    }

    static void Edit(TestReplica replica, Action<Everything> edit, ulong time)
    {
        var entity = Read(replica);
        var original = Model.Encode(entity, new CellWriter());
        edit(entity);
        var changes = Model.Encode(entity, new CellWriter()).ChangesFrom(original);
        var transaction = new Transaction();
        transaction.Update("x", Model.KeyOf(entity), changes.Cells, changes.Counters);
        replica.Apply(transaction.Operations[0], time);
    }

    static Everything Read(TestReplica replica) => (Everything)Model.ReadEntity(Guid.Empty, replica.Document);
}
