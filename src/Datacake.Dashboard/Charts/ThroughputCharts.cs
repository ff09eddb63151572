using Datacake.Dashboard.Metrics;

namespace Datacake.Dashboard.Charts;

/// <summary>The charts of the throughput and latency of the node.</summary>
sealed class ThroughputCharts(MetricHistory history, int minutes)
{
    /// <summary>The windows that can be shown, in minutes.</summary>
    public static readonly IReadOnlyList<int> Windows = [5, 15, 60];

    const int Points = 150, MaxLines = 6;

    int Intervals => (int)(TimeSpan.FromMinutes(minutes) / MetricHistory.Interval);

    int PerPoint => Intervals / Points;

    public IReadOnlyList<Chart> Create() =>
    [
        RatesOf("saves", "Saves by level", MeasuredInstruments.Saves),
        .. history.TagsOf(MeasuredInstruments.SaveDuration).Take(MaxLines).Select(level =>
            LatenciesOf($"acknowledged-{level}", $"Time to acknowledge at level {level}", MeasuredInstruments.SaveDuration, level)),
        RatesOf("queries", "Queries by access path", MeasuredInstruments.Queries),
        LatenciesOf("query-duration", "Time of queries", MeasuredInstruments.QueryDuration, ""),
        RatesOf("read", "Documents read by queries", [("Documents", MeasuredInstruments.DocumentsRead, "")]),
        RatesOf("commits", "Commits to the storage", [
            ("Commits", MeasuredInstruments.Commits, ""), ("Own transactions", MeasuredInstruments.Transactions, ""), ("Changed documents", MeasuredInstruments.Documents, "")]),
        RatesOf("bytes", "Bytes between nodes", [
            ("Sent", MeasuredInstruments.RpcBytes, "sent"), ("Received", MeasuredInstruments.RpcBytes, "received"),
            ("Gossip sent", MeasuredInstruments.GossipBytes, "sent"), ("Gossip received", MeasuredInstruments.GossipBytes, "received")],
            ChartUnit.BytesPerSecond),
    ];

    Chart RatesOf(string id, string title, string instrument) => RatesOf(
        id, title,
        history.TagsOf(instrument) is { Count: > 0 } tags
            ? [.. tags.Take(MaxLines).Select(tag => (tag.Length == 0 ? "other" : tag, instrument, tag))]
            : [("None yet", instrument, "")]);

    Chart RatesOf(string id, string title, IReadOnlyList<(string Name, string Instrument, string Tag)> lines, ChartUnit unit = ChartUnit.PerSecond) => New(
        id, title, unit,
        lines.Select(line => new ChartSeries(line.Name, ChartSeries.Combine(history.RatesOf(line.Instrument, line.Tag, Intervals), PerPoint, takesGreatest: false))));

    Chart LatenciesOf(string id, string title, string instrument, string tag)
    {
        var (median, high, longest) = history.LatenciesOf(instrument, tag, Intervals);
        return New(id, title, ChartUnit.Seconds,
        [
            new ChartSeries("Median", ChartSeries.Combine(median, PerPoint, takesGreatest: true)),
            new ChartSeries("95 %", ChartSeries.Combine(high, PerPoint, takesGreatest: true)),
            new ChartSeries("Longest", ChartSeries.Combine(longest, PerPoint, takesGreatest: true)),
        ]);
    }

    Chart New(string id, string title, ChartUnit unit, IEnumerable<ChartSeries> series) => new(id, title, unit, [.. series], history.EndedAt, MetricHistory.Interval * PerPoint);
}
