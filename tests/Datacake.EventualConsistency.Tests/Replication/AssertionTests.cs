using Datacake.Crdt;
using Datacake.EventualConsistency.Replication;

namespace Datacake.EventualConsistency.Tests.Replication;

/// <summary>Documents that one node asserts again while other nodes, whose writes it has not received, keep writing to them.</summary>
public sealed class AssertionTests
{
    const byte Here = 1, There = 2, Third = 3;

    static readonly HlcTimestamp Put = At(1, There), RunHere = At(2, Here), RunThere = At(2, There);

    static readonly Document Original = Document.Put(Put, Content(("Name", 1), ("City", 1)));

    [Fact]
    public void Increments_unknown_to_the_assertion_are_added_again()
    {
        var heard = Document.Merge(Document.Merge(Original, Share(At(3, Here), RunHere, 5)), Share(At(3, There), RunThere, 7));
        var mine = Document.Merge(heard, Share(At(6, Here), RunHere, 8));

        var asserted = Assertion.Of(heard, At(9, There), Knowing(5), isDead: false);
        var after = Document.Merge(Document.Merge(mine, asserted), Again(mine, asserted)!);

        Assert.Equal(12, CountOf(Document.Merge(mine, asserted)));
        Assert.Equal(15, CountOf(after));
    }

    [Fact]
    public void Only_properties_set_by_this_node_in_the_meantime_are_set_again()
    {
        var mine = Document.Merge(Document.Merge(Original,
            Document.Update(At(6, Here), Content(("Name", 2)))),
            Document.Update(At(6, Third), Content(("City", 2))));
        var again = Again(mine, Assertion.Of(Original, At(9, There), Knowing(5), isDead: false))!;

        Assert.True(again.TryGetCell(DocumentPath.OfProperty("Name").Encoded.Span, out var name));
        Assert.Equal([2], name.Value.ToArray());
        Assert.False(again.TryGetCell(DocumentPath.OfProperty("City").Encoded.Span, out _));
    }

    [Fact]
    public void Delete_unknown_to_the_assertion_is_repeated()
    {
        var mine = Document.Merge(Original, Document.Delete(At(6, Here)));
        var asserted = Assertion.Of(Original, At(9, There), Knowing(5), isDead: false);

        Assert.True(Document.Merge(mine, asserted).IsAlive(MergePolicy.LastWriterWins));
        Assert.False(Document.Merge(Document.Merge(mine, asserted), Again(mine, asserted)!).IsAlive(MergePolicy.LastWriterWins));
    }

    [Fact]
    public void Put_unknown_to_the_assertion_is_repeated_by_every_node_that_has_it()
    {
        var mine = Document.Put(At(6, Third), Content(("Name", 3)));
        var asserted = Assertion.Of(Original, At(9, There), Knowing(5), isDead: false);
        var after = Document.Merge(Document.Merge(mine, asserted), Again(mine, asserted)!);

        Assert.True(after.TryGetCell(DocumentPath.OfProperty("Name").Encoded.Span, out var name));
        Assert.Equal([3], name.Value.ToArray());
        Assert.Equal([At(6, Third)], Assertion.Find(after)!.Over);
    }

    [Fact]
    public void Writes_known_to_the_assertion_are_not_repeated()
    {
        var mine = Document.Merge(Document.Merge(Original, Share(At(3, Here), RunHere, 5)), Document.Update(At(4, Here), Content(("Name", 2))));
        Assert.Null(Again(mine, Assertion.Of(Original, At(9, There), Knowing(5), isDead: false)));
    }

    [Fact]
    public void Increments_on_a_replaced_put_stay_replaced()
    {
        var mine = Document.Merge(Original, Share(At(6, Here), RunHere, 8));
        var replaced = Document.Put(At(4, There), Content(("Name", 4)));
        Assert.Null(Again(mine, Assertion.Of(replaced, At(9, There), Knowing(5), isDead: false)));
    }

    [Fact]
    public void Assertion_of_an_assertion_still_asserts_the_first_put()
    {
        var mine = Document.Merge(Original, Share(At(6, Here), RunHere, 8));
        var once = Assertion.Of(Original, At(7, There), Knowing(5), isDead: false);
        var twice = Assertion.Of(once, At(9, Third), Knowing(5).Union(There, At(6, There), At(7, There)), isDead: false);

        Assert.Equal([Put, At(7, There)], Assertion.Find(twice)!.Over);
        Assert.Equal(8, CountOf(Document.Merge(Document.Merge(mine, twice), Again(mine, twice)!)));
    }

    [Fact]
    public void Damaged_assertion_note_is_refused()
    {
        var content = new DocumentContentBuilder();
        content.Set(DocumentPath.Assertion.Encoded.Span, [1, 2, 3]);
        Assert.Throws<InvalidDataException>(() => Assertion.Find(Document.Put(Put, content.Build())));
    }

    static Document? Again(Document mine, Document asserted) =>
        Assertion.WriteAgain(mine, asserted, (Here, RunHere), At(10, Here), Knowing(9), MergePolicy.LastWriterWins);

    static HlcTimestamp At(uint time, byte node) => new(time, 0, 0, node);

    static VersionVector Knowing(uint time) => new[] { Here, There, Third }.Aggregate(VersionVector.Empty,
        (known, node) => known.Union(node, HlcTimestamp.None, At(time, node)));

    static DocumentContent Content(params (string Property, byte Value)[] values)
    {
        var content = new DocumentContentBuilder();
        foreach (var (property, value) in values)
            content.Set(DocumentPath.OfProperty(property).Encoded.Span, [value]);
        return content.Build();
    }

    static Document Share(HlcTimestamp stamp, HlcTimestamp run, long total)
    {
        var value = new byte[CounterValue.Size];
        CounterValue.Write(value, total);
        var content = new DocumentContentBuilder();
        content.Set(DocumentPath.OfCounterShare("Sold", Put, run).Encoded.Span, value);
        return Document.Update(stamp, content.Build());
    }

    static long CountOf(Document document)
    {
        long sum = 0;
        foreach (var cell in document.Cells)
        {
            if (cell.Kind == DocumentPathKind.CounterShare && cell.IsShown(document.Born))
                sum += CounterValue.Read(cell.Value);
        }
        return sum;
    }
}
