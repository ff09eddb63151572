using System.Diagnostics.Metrics;

namespace Datacake.PostgreSql.Projection.Diagnostics;

/// <summary>The instruments of projections, on the meter <c>Datacake.PostgreSql.Projection</c>.</summary>
static class ProjectionTelemetry
{
    static readonly Meter Meter = new("Datacake.PostgreSql.Projection");

    static readonly Counter<long> Rows = Meter.CreateCounter<long>("datacake.projection.rows", "{row}", "Rows that were written to or deleted from projected tables, loads included, by table.");

    static readonly Counter<long> Loads = Meter.CreateCounter<long>("datacake.projection.loads", "{load}", "Loads of all entities into a projected table, by table.");

    static readonly Counter<long> Failures = Meter.CreateCounter<long>("datacake.projection.failures", "{failure}", "Failures to keep a projected table, by table.");

    static readonly Histogram<double> Duration = Meter.CreateHistogram<double>("datacake.projection.commit.duration", "s", "Time of the transactions that apply changes to a projected table, by table.");

    static readonly Gauge<double> Lag = Meter.CreateGauge<double>(
        "datacake.projection.lag", "s", "Age of the last transaction that was applied to a projected table when it was committed there, by table.");

    /// <summary>Records a transaction that has applied changes.</summary>
    public static void Applied(string table, int rows, TimeSpan elapsed, TimeSpan lag)
    {
        var tag = TagOf(table);
        Rows.Add(rows, tag);
        Duration.Record(elapsed.TotalSeconds, tag);
        Lag.Record(lag.TotalSeconds, tag);
    }

    /// <summary>Records a load of all entities.</summary>
    public static void Loaded(string table, long rows)
    {
        Rows.Add(rows, TagOf(table));
        Loads.Add(1, TagOf(table));
    }

    /// <summary>Records a failure.</summary>
    public static void Failed(string table) => Failures.Add(1, TagOf(table));

    static KeyValuePair<string, object?> TagOf(string table) => new("table", table);
}
