using Datacake.Node.Network;

namespace Datacake.Node.Tests;

/// <summary>The log messages about a lasting condition.</summary>
public sealed class LastingConditionsTests
{
    readonly VirtualTime _time = new();
    readonly LastingConditions _conditions;
    readonly List<long> _ended = [];

    public LastingConditionsTests() => _conditions = new LastingConditions(_time);

    [Fact]
    public void A_condition_is_logged_when_it_begins_and_once_an_hour_with_a_count()
    {
        var logged = new List<long>();
        for (var second = 0; second <= 3 * 3_600; second++)
        {
            if (_conditions.Note("seed", out var count))
                logged.Add(count);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal([1, 3_601, 7_201, 10_801], logged);
    }

    [Fact]
    public void End_of_a_condition_is_reported_once_and_its_return_is_logged_at_once()
    {
        _conditions.Note("seed", out _, _ended.Add);
        Assert.False(_conditions.Note("seed", out _, _ended.Add));
        _conditions.End("seed");
        _conditions.End("seed");
        Assert.Equal([2], _ended);
        Assert.True(_conditions.Note("seed", out var count));
        Assert.Equal(1, count);
    }

    [Fact]
    public void Condition_that_is_no_longer_noted_ends()
    {
        _conditions.Note("refusal", out _, _ended.Add);
        _time.Advance(TimeSpan.FromMinutes(1));
        _conditions.EndQuiet(TimeSpan.FromMinutes(2));
        Assert.Empty(_ended);
        _time.Advance(TimeSpan.FromMinutes(1));
        _conditions.EndQuiet(TimeSpan.FromMinutes(2));
        Assert.Equal([1], _ended);
    }

    [Fact]
    public void Strangers_that_cause_endless_new_conditions_fill_neither_the_log_nor_the_memory()
    {
        var logged = Enumerable.Range(0, 100_000).Count(i => _conditions.Note($"stranger {i}", out _, _ended.Add));
        Assert.InRange(logged, 1_000, 1_001);
        _time.Advance(TimeSpan.FromMinutes(2));
        _conditions.EndQuiet(TimeSpan.FromMinutes(2));
        Assert.InRange(_ended.Count, 1_000, 1_001);
    }
}
