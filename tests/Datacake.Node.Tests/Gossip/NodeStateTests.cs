using System.Net;
using Datacake.Node.Gossip;

namespace Datacake.Node.Tests;

public sealed class NodeStateTests
{
    static readonly GossipId Id = new("1", 1, IPEndPoint.Parse("127.0.0.1:7001"));

    readonly VirtualTime _time = new();
    readonly NodeState _state;

    public NodeStateTests() => _state = new NodeState(Id, _time);

    [Fact]
    public void Setting_the_same_value_again_creates_no_version()
    {
        _state.Set("a", "1");
        _state.Set("a", "1");
        Assert.Equal(1UL, _state.MaxVersion);
        _state.Set("a", "2");
        Assert.Equal(2UL, _state.MaxVersion);
    }

    [Fact]
    public void Setting_the_same_value_again_cancels_its_lifetime()
    {
        _state.Set("a", "1", EntryStatus.DeletedAfterTtl);
        _state.Set("a", "1");
        _time.Advance(TimeSpan.FromHours(1));
        _state.Collect(TimeSpan.FromMinutes(1));
        Assert.True(_state.TryGet("a", out _));
    }

    [Fact]
    public void Deleting_a_missing_key_creates_no_version()
    {
        _state.Delete("a");
        Assert.Equal(0UL, _state.MaxVersion);
        _state.Set("a", "1");
        _state.Delete("a");
        _state.Delete("a");
        Assert.Equal(2UL, _state.MaxVersion);
        Assert.False(_state.TryGet("a", out _));
    }

    [Fact]
    public void First_reported_heartbeat_is_not_a_sign_of_life()
    {
        Assert.False(_state.Observe(5));
        Assert.False(_state.Observe(5));
        Assert.True(_state.Observe(6));
        Assert.False(_state.Observe(4));
        Assert.Equal(6UL, _state.Heartbeat);
    }

    [Fact]
    public void A_section_that_leaves_a_gap_changes_nothing()
    {
        _state.Apply(Section(gc: 0, from: 3, ("a", "1", 4)));
        Assert.Equal(0UL, _state.MaxVersion);
        Assert.False(_state.TryGet("a", out _));
    }

    [Fact]
    public void A_section_with_nothing_new_changes_nothing()
    {
        _state.Apply(Section(gc: 0, from: 0, ("a", "1", 4)));
        _state.Apply(Section(gc: 0, from: 0, ("a", "0", 3)));
        Assert.True(_state.TryGet("a", out var value));
        Assert.Equal("1", value);
    }

    [Fact]
    public void Overlapping_section_adds_only_new_entries()
    {
        _state.Apply(Section(gc: 0, from: 0, ("a", "1", 2)));
        _state.Apply(Section(gc: 0, from: 1, ("a", "x", 2), ("b", "2", 3)));
        Assert.True(_state.TryGet("a", out var a));
        Assert.Equal("1", a);
        Assert.True(_state.TryGet("b", out _));
        Assert.Equal(3UL, _state.MaxVersion);
    }

    [Fact]
    public void Partial_state_with_collected_tombstones_is_refused_and_a_complete_one_replaces_the_local_state()
    {
        _state.Apply(Section(gc: 0, from: 0, ("a", "1", 1), ("b", "1", 2)));
        _state.Observe(9);
        _state.Apply(Section(gc: 5, from: 2, ("c", "1", 6)));
        Assert.Equal(2UL, _state.MaxVersion);

        _state.Apply(Section(gc: 5, from: 0, ("b", "1", 2), ("c", "1", 6)));
        Assert.False(_state.TryGet("a", out _));
        Assert.True(_state.TryGet("b", out _));
        Assert.True(_state.TryGet("c", out _));
        Assert.Equal((6UL, 5UL, 0UL), (_state.MaxVersion, _state.LastGcVersion, _state.Heartbeat));
    }

    [Fact]
    public void Locally_collected_tombstone_does_not_return()
    {
        _state.Set("a", "1");
        _state.Delete("a");
        _time.Advance(TimeSpan.FromHours(3));
        _state.Collect(TimeSpan.FromHours(2));
        Assert.Equal(2UL, _state.LastGcVersion);
        Assert.Empty(_state.EntriesAbove(0));
    }

    [Fact]
    public void Tombstone_is_kept_until_its_local_age_reaches_the_limit()
    {
        _state.Apply(new NodeDelta(Id, 0, 0, [new DeltaEntry("a", "", 1, EntryStatus.Deleted)]));
        _time.Advance(TimeSpan.FromMinutes(119));
        _state.Collect(TimeSpan.FromHours(2));
        Assert.Single(_state.EntriesAbove(0));
        _time.Advance(TimeSpan.FromMinutes(1));
        _state.Collect(TimeSpan.FromHours(2));
        Assert.Empty(_state.EntriesAbove(0));
    }

    [Fact]
    public void An_empty_section_changes_nothing()
    {
        _state.Apply(Section(gc: 0, from: 0, ("a", "1", 1)));
        _state.Apply(Section(gc: 9, from: 0));
        Assert.True(_state.TryGet("a", out _));
    }

    static NodeDelta Section(ulong gc, ulong from, params (string Key, string Value, ulong Version)[] entries)
        => new(Id, gc, from, [.. entries.Select(entry => new DeltaEntry(entry.Key, entry.Value, entry.Version, EntryStatus.Set))]);
}
