using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Datacake.EventualConsistency.Tests.Fixtures;

namespace Datacake.EventualConsistency.Tests;

public sealed class StoreMetricsTests
{
    const int FirstNode = 201;      // No other test uses these ids.

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Store_measures_its_commits_received_transactions_and_documents()
    {
        var measured = new ConcurrentDictionary<(string Instrument, string Node), double>();
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, listening) =>
        {
            if (instrument.Meter.Name == "Datacake.EventualConsistency")
                listening.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Take(instrument, value, tags));
        listener.Start();

        await using var cluster = new TestCluster();
        await cluster.AddAsync(FirstNode);
        var cakes = cluster[FirstNode].Store.Keyspace("cakes");
        for (int i = 0; i < 3; i++)
            await cakes.PutAsync(i, "cake"u8.ToArray(), Consistency.None, Canceled);
        await cakes.DeleteAsync(0, Consistency.None, Canceled);
        await cluster.AddAsync(FirstNode + 1);
        await cluster.WaitUntilConnectedAsync();
        listener.RecordObservableInstruments();

        Assert.Equal(4, Of("datacake.store.transactions", FirstNode));
        Assert.Equal(2, Of("datacake.store.keyspace.documents", FirstNode));
        Assert.Equal(2, Of("datacake.store.keyspace.documents", FirstNode + 1));
        Assert.Equal(1, Of("datacake.store.peers", FirstNode));
        Assert.InRange(Of("datacake.store.documents", FirstNode + 1), 2, 3);
        Assert.InRange(Of("datacake.store.join.documents", FirstNode + 1), 2, 3);
        Assert.InRange(Of("datacake.store.pulls", FirstNode + 1), 1, double.MaxValue);
        Assert.InRange(Of("datacake.store.commits", FirstNode), 1, double.MaxValue);
        Assert.InRange(Of("datacake.store.log.age", FirstNode), 0, TestCluster.Deadline.TotalSeconds);

        double Of(string instrument, int node) => measured[(instrument, $"{node}")];

        void Take(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
        {
            string node = "";
            foreach (var (key, tag) in tags)
                node = key == "node" ? (string)tag! : node;
            measured.AddOrUpdate((instrument.Name, node), value, (_, before) => instrument.IsObservable ? value : before + value);
        }
    }
}
