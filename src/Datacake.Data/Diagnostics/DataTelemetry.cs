using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Datacake.EventualConsistency;

namespace Datacake.Data.Diagnostics;

/// <summary>
/// The instruments and spans of the ORM, on the meter and the activity source <c>Datacake.Data</c>. The values of tags are names that the model declares,
/// consistency levels and outcomes, so that the number of series is bounded.
/// </summary>
static class DataTelemetry
{
    public const string Name = "Datacake.Data";

    public static readonly ActivitySource Source = new(Name);

    static readonly Meter Meter = new(Name);

    static readonly Counter<long> Saves = Meter.CreateCounter<long>("datacake.data.saves", "{save}", "Saves that had something to save, by level and outcome.");

    static readonly Histogram<double> SaveDuration = Meter.CreateHistogram<double>(
        "datacake.data.save.duration", "s", "Time of saves, the acknowledgments that their level requires included.");

    public static readonly Counter<long> SavedEntities = Meter.CreateCounter<long>("datacake.data.saved.entities", "{entity}", "Saved entities, by keyspace.");

    public static readonly Counter<long> Conflicts = Meter.CreateCounter<long>("datacake.data.conflicts", "{conflict}", "Saves that failed because an entity had changed, by keyspace.");

    static readonly Counter<long> Queries = Meter.CreateCounter<long>("datacake.data.queries", "{query}", "Runs of queries, by keyspace and access path.");

    static readonly Histogram<double> QueryDuration = Meter.CreateHistogram<double>(
        "datacake.data.query.duration", "s", "Time from the start of a query to its last result, the time of its reader included.");

    static readonly Counter<long> DocumentsRead = Meter.CreateCounter<long>("datacake.data.query.documents", "{document}", "Documents that queries have read, by keyspace.");

    static readonly UpDownCounter<long> Watches = Meter.CreateUpDownCounter<long>("datacake.data.watches", "{watch}", "Running watches, by keyspace.");

    static readonly UpDownCounter<long> Consumers = Meter.CreateUpDownCounter<long>("datacake.data.consumers", "{consumer}", "Durable consumers that this process runs, by keyspace and consumer.");

    static readonly Counter<long> ConsumedChanges = Meter.CreateCounter<long>(
        "datacake.data.consumer.changes", "{change}", "Changes that durable consumers have processed, by keyspace and consumer.");

    static readonly Counter<long> ConsumerRetries = Meter.CreateCounter<long>("datacake.data.consumer.retries", "{retry}", "Failed batches of durable consumers, by keyspace and consumer.");

    static readonly Counter<long> ConsumerResets = Meter.CreateCounter<long>(
        "datacake.data.consumer.resets", "{reset}", "Times that a durable consumer had to read all entities again, by keyspace and consumer.");

    static readonly Gauge<double> ConsumerLag = Meter.CreateGauge<double>(
        "datacake.data.consumer.lag", "s", "Age of the last transaction that a durable consumer has processed, at that time, by keyspace and consumer.");

    // The tags of each series, which are few: a list of tags for each save would be most of what a listener costs.
    static readonly ConcurrentDictionary<(Consistency Level, string Outcome), KeyValuePair<string, object?>[]> TagsOfSaves = new();
    static readonly ConcurrentDictionary<(string Keyspace, string Access, bool HasFailed), KeyValuePair<string, object?>[]> TagsOfQueries = new();

    /// <summary>True if someone listens to saves.</summary>
    public static bool IsObservingSaves => Saves.Enabled || SaveDuration.Enabled || SavedEntities.Enabled || Conflicts.Enabled || Source.HasListeners();

    /// <summary>True if someone listens to the metrics of queries.</summary>
    public static bool IsMeasuringQueries => Queries.Enabled || QueryDuration.Enabled || DocumentsRead.Enabled;

    /// <summary>Records a save that had something to save.</summary>
    /// <param name="level">The level of the save.</param>
    /// <param name="elapsed">The time that it took.</param>
    /// <param name="outcome">The outcome, such as <c>ok</c> or <c>conflict</c>.</param>
    public static void Saved(Consistency level, TimeSpan elapsed, string outcome)
    {
        var tags = TagsOfSaves.GetOrAdd((level, outcome), static save => [new("level", save.Level.ToString()), new("outcome", save.Outcome)]);
        Saves.Add(1, tags);
        SaveDuration.Record(elapsed.TotalSeconds, tags);
    }

    /// <summary>Records a run of a query.</summary>
    /// <param name="keyspace">The keyspace of the query.</param>
    /// <param name="access">The kind of its access path.</param>
    /// <param name="elapsed">The time from its start to its end.</param>
    /// <param name="documentsRead">The documents that it has read.</param>
    /// <param name="hasFailed">True if it has failed.</param>
    public static void Queried(string keyspace, string access, TimeSpan elapsed, long documentsRead, bool hasFailed)
    {
        var tags = TagsOfQueries.GetOrAdd(
            (keyspace, access, hasFailed), static query => [new("keyspace", query.Keyspace), new("access", query.Access), new("outcome", query.HasFailed ? "failed" : "ok")]);
        Queries.Add(1, tags);
        QueryDuration.Record(elapsed.TotalSeconds, tags);
        DocumentsRead.Add(documentsRead, new KeyValuePair<string, object?>("keyspace", keyspace));
    }

    /// <summary>Records the start (1) or the end (-1) of a watch.</summary>
    public static void Watching(string keyspace, int change) => Watches.Add(change, new KeyValuePair<string, object?>("keyspace", keyspace));

    /// <summary>Records the start (1) or the end (-1) of a durable consumer's term.</summary>
    public static void Consuming(string keyspace, string consumer, int change) => Consumers.Add(change, new("keyspace", keyspace), new("consumer", consumer));

    /// <summary>Records changes that a durable consumer has processed.</summary>
    public static void Consumed(string keyspace, string consumer, int changes) => ConsumedChanges.Add(changes, new("keyspace", keyspace), new("consumer", consumer));

    /// <summary>Records a batch that a durable consumer has failed to process.</summary>
    public static void ConsumerFailed(string keyspace, string consumer) => ConsumerRetries.Add(1, new("keyspace", keyspace), new("consumer", consumer));

    /// <summary>Records that a durable consumer has to read all entities again.</summary>
    public static void ConsumerReset(string keyspace, string consumer) => ConsumerResets.Add(1, new("keyspace", keyspace), new("consumer", consumer));

    /// <summary>Records how far a durable consumer is behind.</summary>
    public static void ConsumerLags(string keyspace, string consumer, TimeSpan lag) =>
        ConsumerLag.Record(lag.TotalSeconds, new("keyspace", keyspace), new KeyValuePair<string, object?>("consumer", consumer));
}
