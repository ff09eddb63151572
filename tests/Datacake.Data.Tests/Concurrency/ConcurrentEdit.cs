using Datacake.Data.Tests.Shop;

namespace Datacake.Data.Tests.Concurrency;

/// <summary>A pair of edits that two disconnected nodes make to one entity, the second node later, with a check of the merged entity.</summary>
public sealed record ConcurrentEdit(
    string Promise, Func<Everything> Initial, Action<Everything> Mine, Action<Everything> Theirs, Action<Everything> Check)
{
    public static IReadOnlyList<ConcurrentEdit> All { get; } =
    [
        new(
            "edits of different properties both survive",
            () => new Everything(),
            e => e.String = "mine",
            e => e.Decimal = 7,
            e => Assert.Equal(("mine", 7m), (e.String, e.Decimal))),
        new(
            "the later edit of the same property wins",
            () => new Everything(),
            e => e.String = "mine",
            e => e.String = "theirs",
            e => Assert.Equal("theirs", e.String)),
        new(
            "edits of different properties of an owned object both survive",
            () => new Everything { Owned = new Owned { Text = "x" } },
            e => e.Owned!.Text = "mine",
            e => e.Owned!.Point = new GeoPoint(1, 2),
            e => Assert.Equal(("mine", new GeoPoint(1, 2)), (e.Owned!.Text, e.Owned.Point))),
        new(
            "a removed owned object is gone, even if the other node edits it later",
            () => new Everything { Owned = new Owned { Text = "x" } },
            e => e.Owned = null,
            e => e.Owned!.Text = "theirs",
            e => Assert.Null(e.Owned)),
        new(
            "increments of a counter add up",
            () => new Everything { Counter = 10, SmallCounter = 1, Owned = new Owned { Counter = 5 } },
            e => (e.Counter, e.SmallCounter, e.Owned!.Counter) = (13, 5, 6),
            e => (e.Counter, e.SmallCounter, e.Owned!.Counter) = (9, 0, 4),
            e => Assert.Equal((12L, 4, 5L), (e.Counter, e.SmallCounter, e.Owned!.Counter))),
        new(
            "additions and removals of different elements of a set all survive",
            () => new Everything { Set = ["a", "b", "c"] },
            e => { e.Set.Remove("a"); e.Set.Add("mine"); },
            e => { e.Set.Remove("b"); e.Set.Add("theirs"); },
            e => Assert.Equal(["c", "mine", "theirs"], e.Set.Order(StringComparer.Ordinal))),
        new(
            "the later edit of the same set element wins",
            () => new Everything { Set = ["a"] },
            e => e.Set.Remove("a"),
            e => { e.Set.Remove("a"); e.Set.Add("b"); e.Set.Remove("b"); },
            e => Assert.Empty(e.Set)),
        new(
            "dictionaries merge entry by entry",
            () => new Everything { Prices = { ["a"] = 1, ["b"] = 2, ["c"] = 3 } },
            e => { e.Prices["a"] = 10; e.Prices["c"] = 20; e.Prices.Remove("b"); e.Prices["mine"] = 4; },
            e => { e.Prices["c"] = 30; e.Prices["theirs"] = 5; },
            e => Assert.Equal(
                [("a", 10m), ("c", 30m), ("mine", 4m), ("theirs", 5m)], e.Prices.Select(entry => (entry.Key, entry.Value)).Order())),
        new(
            "the later edit of a list replaces the whole list",
            () => new Everything { List = ["a"] },
            e => e.List.Add("mine"),
            e => e.List.Add("theirs"),
            e => Assert.Equal(["a", "theirs"], e.List)),
    ];

    public override string ToString() => Promise;
}
