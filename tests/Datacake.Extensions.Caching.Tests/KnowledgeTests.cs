using Datacake.Crdt;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching.Flights;
using Datacake.Extensions.Caching.Records;
using Datacake.Extensions.Caching.Tags;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Extensions.Caching.Tests;

/// <summary>The invalidations that the maker of a value knew, without a node.</summary>
public sealed class KnowledgeTests
{
    readonly TagTable _tags = new();
    readonly FlightTable _flights = new();

    [Fact]
    public void Value_is_stale_if_an_earlier_invalidation_of_another_tag_arrives_late()
    {
        _tags.Invalidate("a", At(20));
        var known = _tags.KnownOf(At(1), ["a", "b"]);
        Assert.True(_tags.IsValid(known));
        _tags.Invalidate("b", At(10));
        Assert.False(_tags.IsValid(known));
        Assert.True(_tags.IsValid(_tags.KnownOf(At(1), ["a", "b"])));
        _tags.Invalidate(TagTable.AllTag, At(5));
        Assert.False(_tags.IsValid(_tags.KnownOf(At(1), null) with { Everything = At(4) }));
        Assert.True(_tags.IsValid(_tags.KnownOf(At(1), null)));
    }

    [Fact]
    public void Forgotten_invalidation_leaves_a_later_one_of_the_same_tag()
    {
        foreach (var tag in new[] { "a", TagTable.AllTag })
        {
            var before = _tags.KnownOf(null, ["a"]);
            _tags.Invalidate(tag, At(20));
            _tags.Forget(tag, At(10));
            Assert.False(_tags.IsValid(before));
            _tags.Forget(tag, At(20));
            Assert.True(_tags.IsValid(before));
        }
        Assert.Equal(0, _tags.Count);
    }

    [Fact]
    public void Flight_is_detached_by_an_invalidation_that_was_not_known_when_its_factory_began()
    {
        _tags.Invalidate("t", At(20));
        var flight = Join();
        // The flight has not begun its factory, which will know of this.
        _flights.Detach("k", At(30), isSet: false);
        _flights.BeginFactory(flight, At(30), _tags);
        _flights.Detach("k", At(30), isSet: false);
        _flights.DetachTagged("t", At(20));
        _flights.DetachTagged("other", At(50));
        Assert.False(_flights.IsDetached(flight));
        _flights.DetachTagged("t", At(21));
        Assert.True(_flights.IsDetached(flight));
        Assert.NotSame(flight, Join());
    }

    [Fact]
    public void Flight_whose_factory_runs_is_detached_when_changes_were_missed()
    {
        var flight = Join();
        _flights.DetachAll();
        Assert.False(_flights.IsDetached(flight));
        _flights.BeginFactory(flight, HlcTimestamp.None, _tags);
        _flights.DetachAll();
        Assert.True(_flights.IsDetached(flight));
    }

    Flight<int> Join() => _flights.Join<int>("k", HybridCacheEntryFlags.None, ["t"], isInFactory: false, out _);

    static HlcTimestamp At(ulong packed) => new(packed);
}
