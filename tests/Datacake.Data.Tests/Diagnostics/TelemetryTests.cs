using System.Collections.Concurrent;
using System.ComponentModel.DataAnnotations;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Tests;

namespace Datacake.Data.Tests.Diagnostics;

/// <summary>An entity that no other test uses, since listeners hear everything in the process.</summary>
public sealed class Telegram
{
    public long Id { get; set; }

    [Index]
    public string Sender { get; set; } = "";

    public string Text { get; set; } = "";

    [ConcurrencyCheck]
    public int Version { get; set; }
}

public sealed partial class TelegramContext(DatacakeNode node) : DatacakeContext(node)
{
    public partial Keyspace<Telegram> Telegrams { get; }
}

/// <summary>Saves, queries and watches are measured, traced and logged.</summary>
public class TelemetryTests
{
    // No other test uses this level.
    const Consistency Level = Consistency.EachQuorum;

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Saves_are_measured_by_level_and_outcome_and_their_entities_and_conflicts_by_keyspace()
    {
        await using var node = await StartAsync();
        using var measured = new Measurements();
        await using var db = new TelegramContext(node);
        db.Telegrams.Add(new Telegram { Id = 1 });
        db.Telegrams.Add(new Telegram { Id = 2 });
        await db.SaveChangesAsync(Level, Canceled);
        await db.SaveChangesAsync(Level, Canceled);
        await using var other = new TelegramContext(node);
        (await other.Telegrams.FindAsync([1L], Canceled))!.Version = 1;
        await other.SaveChangesAsync(Level, Canceled);
        (await db.Telegrams.FindAsync([1L], Canceled))!.Version = 2;
        await Assert.ThrowsAsync<EntityConflictException>(() => db.SaveChangesAsync(Level, Canceled));

        Assert.Equal(2, measured["datacake.data.saves", "level=EachQuorum outcome=ok"]);
        Assert.Equal(1, measured["datacake.data.saves", "level=EachQuorum outcome=conflict"]);
        Assert.True(measured["datacake.data.save.duration", "level=EachQuorum outcome=ok"] > 0);
        Assert.Equal(3, measured["datacake.data.saved.entities", "keyspace=Telegrams"]);
        Assert.Equal(1, measured["datacake.data.conflicts", "keyspace=Telegrams"]);
    }

    [Fact]
    public async Task Queries_are_measured_by_keyspace_access_and_outcome()
    {
        await using var node = await StartAsync(out var log);
        await using var db = new TelegramContext(node);
        for (int i = 0; i < 10; i++)
            db.Telegrams.Add(new Telegram { Id = i, Sender = i % 2 == 0 ? "Ada" : "Grace" });
        await db.SaveChangesAsync(Canceled);
        db.ChangeTracker.Clear();
        using var measured = new Measurements();

        await db.Telegrams.Where(t => t.Sender == "Ada").ToListAsync(Canceled);
        await db.Telegrams.Where(t => t.Text == "").TagWith("inbox").CountAsync(Canceled);
        db.ChangeTracker.Clear();
        await db.Telegrams.FindAsync([3L], Canceled);
        await Assert.ThrowsAsync<DivideByZeroException>(() => db.Telegrams.Where(t => 1 / t.Version == 1).ToListAsync(Canceled));

        Assert.Equal(1, measured["datacake.data.queries", "keyspace=Telegrams access=index outcome=ok"]);
        Assert.Equal(1, measured["datacake.data.queries", "keyspace=Telegrams access=scan outcome=ok"]);
        Assert.Equal(1, measured["datacake.data.queries", "keyspace=Telegrams access=key outcome=ok"]);
        Assert.Equal(1, measured["datacake.data.queries", "keyspace=Telegrams access=scan outcome=failed"]);
        Assert.InRange(measured["datacake.data.query.documents", "keyspace=Telegrams"], 16, 26);
        Assert.True(measured["datacake.data.query.duration", "keyspace=Telegrams access=scan outcome=ok"] > 0);
        Assert.True(log.Contains("A query for the keyspace Telegrams read 5 documents and returned 5 in"));
        Assert.True(log.Contains("tagged 'inbox'"));
        Assert.True(log.Contains("10 entities were saved at level Quorum"));
    }

    [Fact]
    public async Task Save_and_query_but_no_find_are_spans_within_the_request_that_needs_them()
    {
        await using var node = await StartAsync();
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is "Datacake.Data" or "Test",
            Sample = static (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                if (Equals(span.GetTagItem("datacake.context"), nameof(TelegramContext)) || Equals(span.GetTagItem("datacake.keyspace"), "Telegrams"))
                    spans.Enqueue(span);
            },
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource("Test");
        using var request = source.StartActivity("request")!;
        await using var db = new TelegramContext(node);

        db.Telegrams.Add(new Telegram { Id = 1 });
        await db.SaveChangesAsync(Canceled);
        await db.Telegrams.FindAsync([2], Canceled);
        await db.Telegrams.AsNoTracking().ToListAsync(Canceled);

        var ours = spans.Where(span => span.TraceId == request.TraceId).ToList();
        Assert.Equal(["datacake.save", "datacake.query"], ours.Select(static span => span.OperationName));
        Assert.All(ours, span => Assert.Equal(request.SpanId, span.ParentSpanId));
        Assert.Equal(("Quorum", 1, "1"), (ours[0].GetTagItem("datacake.level"), ours[0].GetTagItem("datacake.entities"), ours[0].GetTagItem("datacake.acknowledged")));
        Assert.Equal(("scan", 1L, 1L), (ours[1].GetTagItem("datacake.access"), ours[1].GetTagItem("datacake.documents"), ours[1].GetTagItem("datacake.results")));
        Assert.Same(request, Activity.Current);
    }

    [Fact]
    public async Task Span_of_a_save_shows_the_commit_and_the_acknowledgment_of_each_node()
    {
        await using var cluster = new LocalCluster();
        foreach (int id in (int[])[1, 2, 3])
            await cluster.StartAsync(id);
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name is "Datacake.Data" or "Test",
            Sample = static (ref _) => ActivitySamplingResult.AllData,
            ActivityStopped = spans.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        using var source = new ActivitySource("Test");
        using var request = source.StartActivity("request")!;
        await using var db = new TelegramContext(cluster[1]);

        db.Telegrams.Add(new Telegram { Id = 2 });
        await db.SaveChangesAsync(Consistency.All, Canceled);

        var save = spans.Single(span => span.TraceId == request.TraceId && span.OperationName == "datacake.save");
        Assert.Equal(["datacake.committed", "datacake.acknowledged", "datacake.acknowledged"], save.Events.Select(static moment => moment.Name));
        Assert.Equal([2, 3], save.Events.Skip(1).Select(static moment => (int)moment.Tags.Single(static tag => tag.Key == "datacake.node").Value!).Order());
    }

    [Fact]
    public async Task Running_watches_are_counted()
    {
        await using var node = await StartAsync();
        using var measured = new Measurements();
        await using var db = new TelegramContext(node);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Canceled);
        var watching = db.Telegrams.WatchAsync(stop.Token).GetAsyncEnumerator(stop.Token);
        var next = watching.MoveNextAsync();

        await Eventually.WaitUntilAsync(() => measured["datacake.data.watches", "keyspace=Telegrams"] == 1, "the watch is counted");
        await stop.CancelAsync();
        // The first batch may have come before.
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            while (await next)
                next = watching.MoveNextAsync();
        });
        await watching.DisposeAsync();

        Assert.Equal(0, measured["datacake.data.watches", "keyspace=Telegrams"]);
    }

    [Fact]
    public async Task Changes_and_failures_of_consumers_are_measured_and_logged()
    {
        await using var node = await StartAsync(out var log);
        using var measured = new Measurements();
        await using var db = new TelegramContext(node);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Canceled);
        var consuming = db.Telegrams.ConsumeAsync(
            "archive", static (batch, _) => batch.Attempt == 1 ? throw new IOException("The archive is full.") : Task.CompletedTask,
            new ConsumerOptions { RetryDelay = TimeSpan.FromMilliseconds(1) }, stop.Token);
        await Eventually.WaitUntilAsync(() => measured["datacake.data.consumer.retries", "keyspace=Telegrams consumer=archive"] >= 1, "the failure is counted");
        await using var other = new TelegramContext(node);
        other.Telegrams.Add(new Telegram { Id = 1 });
        await other.SaveChangesAsync(Canceled);
        await Eventually.WaitUntilAsync(() => measured["datacake.data.consumer.changes", "keyspace=Telegrams consumer=archive"] == 1, "the change is counted");
        Assert.Equal(1, measured["datacake.data.consumers", "keyspace=Telegrams consumer=archive"]);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => consuming);

        Assert.Equal(0, measured["datacake.data.consumers", "keyspace=Telegrams consumer=archive"]);
        Assert.Contains(log.Exceptions, static logged => logged.Exception is IOException && logged.Message.StartsWith("The consumer 'archive' of the keyspace 'Telegrams' failed", StringComparison.Ordinal));
    }

    static ValueTask<DatacakeNode> StartAsync() => StartAsync(out _);

    static ValueTask<DatacakeNode> StartAsync(out CollectingLog log)
    {
        var collecting = log = new CollectingLog();
        return DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn("127.0.0.1:0").UseMemory().WithLoggerFactory(collecting), Canceled);
    }

    /// <summary>The sums of what the ORM has measured, by instrument and tags.</summary>
    sealed class Measurements : IDisposable
    {
        readonly MeterListener _listener = new();
        readonly ConcurrentDictionary<(string Instrument, string Tags), double> _sums = [];

        public Measurements()
        {
            _listener.InstrumentPublished = static (instrument, listening) =>
            {
                if (instrument.Meter.Name == "Datacake.Data")
                    listening.EnableMeasurementEvents(instrument);
            };
            _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
            _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
            _listener.Start();
        }

        public double this[string instrument, string tags] => _sums.GetValueOrDefault((instrument, tags));

        public void Dispose() => _listener.Dispose();

        void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string text = string.Join(' ', tags.ToArray().Select(static tag => $"{tag.Key}={tag.Value}"));
            _sums.AddOrUpdate((instrument.Name, text), value, (_, sum) => sum + value);
        }
    }
}
