using System.Diagnostics.Metrics;
using Datacake.Dashboard.Metrics;
using Datacake.Testing;

namespace Datacake.Dashboard.Tests;

/// <summary>The history of metrics is complete for an hour, and bounded.</summary>
public class MetricHistoryTests
{
    [Fact]
    public async Task Rates_are_kept_by_tag_and_interval_for_the_own_node()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        using var history = new MetricHistory(node.Node);
        using var meter = new Meter("test");
        var bytes = meter.CreateCounter<long>(MeasuredInstruments.GossipBytes);

        // No node has these directions.
        bytes.Add(6, new KeyValuePair<string, object?>("direction", "up"), new KeyValuePair<string, object?>("node", "1"));
        bytes.Add(100, new KeyValuePair<string, object?>("direction", "up"), new KeyValuePair<string, object?>("node", "2"));
        history.EndInterval();
        bytes.Add(8, new KeyValuePair<string, object?>("direction", "up"));
        bytes.Add(4, new KeyValuePair<string, object?>("direction", "down"));
        history.EndInterval();

        Assert.Equal([0, 3, 4], history.RatesOf(MeasuredInstruments.GossipBytes, "up", 3));
        Assert.Equal([0, 0, 2], history.RatesOf(MeasuredInstruments.GossipBytes, "down", 3));
        Assert.Equal([0, 0], history.RatesOf(MeasuredInstruments.GossipBytes, "sideways", 2));
    }

    [Fact]
    public async Task Durations_are_summarized_for_each_interval_and_missing_where_nothing_was_measured()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        using var history = new MetricHistory(node.Node);
        using var meter = new Meter("test");
        var duration = meter.CreateHistogram<double>(MeasuredInstruments.SaveDuration);
        var level = new KeyValuePair<string, object?>("level", "Durations");

        for (int i = 1; i <= 100; i++)
            duration.Record(i / 1000.0, level);
        history.EndInterval();
        history.EndInterval();
        duration.Record(2, level);
        history.EndInterval();
        var (median, high, longest) = history.LatenciesOf(MeasuredInstruments.SaveDuration, "Durations", 4);

        Assert.Equal([float.NaN, 0.1f, float.NaN, 2], longest);
        Assert.InRange(median[1], 0.050f, 0.060f);
        Assert.InRange(high[1], 0.095f, 0.1f);
        Assert.Equal((2, 2), (median[3], high[3]));
        Assert.Equal((float.NaN, float.NaN), (median[2], high[2]));
    }

    [Fact]
    public async Task Oldest_interval_makes_room_after_an_hour()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        using var history = new MetricHistory(node.Node);
        using var meter = new Meter("test");
        var saves = meter.CreateCounter<long>(MeasuredInstruments.Saves);

        for (int i = 0; i < MetricHistory.Capacity + 5; i++)
        {
            saves.Add(2 * i, new KeyValuePair<string, object?>("level", "Hour"));
            history.EndInterval();
        }
        float[] rates = history.RatesOf(MeasuredInstruments.Saves, "Hour", MetricHistory.Capacity);

        Assert.Equal((5, MetricHistory.Capacity + 4), (rates[0], rates[^1]));
        Assert.Equal(TimeSpan.FromHours(1), MetricHistory.Interval * MetricHistory.Capacity);
    }

    [Fact]
    public async Task Series_beyond_the_limit_are_not_kept()
    {
        await using var node = await TestNode.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        using var history = new MetricHistory(node.Node);
        using var meter = new Meter("test");
        var saves = meter.CreateCounter<long>(MeasuredInstruments.Saves);

        for (int i = 0; i < 10 * MetricHistory.MaxSeries; i++)
            saves.Add(1, new KeyValuePair<string, object?>("level", $"Level {i}"));

        Assert.InRange(history.TagsOf(MeasuredInstruments.Saves).Count, 1, MetricHistory.MaxSeries);
    }
}
