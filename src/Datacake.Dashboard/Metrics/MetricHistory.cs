using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using Datacake.Node;

namespace Datacake.Dashboard.Metrics;

/// <summary>
/// The metrics of the node in the process, of the last hour, in intervals of two seconds. Listens to the meters of the product. Its size is
/// bounded: a series beyond the limit is not kept. Thread-safe.
/// </summary>
sealed class MetricHistory : IDisposable
{
    /// <summary>The number of intervals in an hour.</summary>
    public const int Capacity = 1800;

    /// <summary>The limit of each kind of series. Tags have few values, so that it is not reached.</summary>
    public const int MaxSeries = 32;

    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    readonly Lock _lock = new();
    readonly ConcurrentDictionary<(string Name, string Tag), RateSeries> _rates = [];
    readonly ConcurrentDictionary<(string Name, string Tag), LatencySeries> _latencies = [];
    readonly MeterListener _listener = new();
    readonly string _node;
    readonly TimeProvider _time;

    public MetricHistory(DatacakeNode node)
    {
        _node = node.Id.ToString(CultureInfo.InvariantCulture);
        _time = node.TimeProvider;
        EndedAt = _time.GetUtcNow();
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (MeasuredInstruments.TagOf.TryGetValue(instrument.Name, out string? tag))
                listener.EnableMeasurementEvents(instrument, tag);
        };
        _listener.SetMeasurementEventCallback<long>(OnMeasured);
        _listener.SetMeasurementEventCallback<double>(OnMeasured);
        _listener.Start();
    }

    /// <summary>Gets the time at which the newest interval ended.</summary>
    public DateTimeOffset EndedAt { get; private set; }

    /// <summary>Returns the values of a tag that were measured for an instrument.</summary>
    public IReadOnlyList<string> TagsOf(string instrument) => [.. _rates.Keys.Concat(_latencies.Keys).Where(key => key.Name == instrument).Select(static key => key.Tag).Order(StringComparer.Ordinal)];

    /// <summary>Ends an interval. Called once in each.</summary>
    public void EndInterval()
    {
        lock (_lock)
        {
            foreach (var series in _rates.Values)
                series.EndInterval(Interval);
            foreach (var series in _latencies.Values)
                series.EndInterval();
            EndedAt = _time.GetUtcNow();
        }
    }

    /// <summary>Returns the newest rates of a counter in units per second, the oldest first; zeros if nothing was measured.</summary>
    public float[] RatesOf(string instrument, string tag, int intervals)
    {
        float[] values = new float[intervals];
        lock (_lock)
        {
            if (_rates.TryGetValue((instrument, tag), out var series))
                series.CopyNewest(values);
        }
        return values;
    }

    /// <summary>Returns the newest durations in seconds, the oldest first; NaN where nothing was measured.</summary>
    public (float[] Median, float[] High, float[] Longest) LatenciesOf(string instrument, string tag, int intervals)
    {
        float[] median = new float[intervals], high = new float[intervals], longest = new float[intervals];
        lock (_lock)
        {
            if (_latencies.TryGetValue((instrument, tag), out var series))
                series.CopyNewest(median, high, longest);
            else
                longest.AsSpan().Fill(float.NaN);
        }
        // A ring is full of zeros before its series began, and no operation takes no time.
        for (int i = 0; i < intervals; i++)
        {
            if (float.IsNaN(longest[i]) || longest[i] == 0)
                median[i] = high[i] = longest[i] = float.NaN;
        }
        return (median, high, longest);
    }

    public void Dispose() => _listener.Dispose();

    void OnMeasured(Instrument instrument, long value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? tag)
    {
        if (KeyOf(instrument, tags, (string)tag!) is { } key && SeriesOf(_rates, key, static () => new RateSeries(Capacity)) is { } series)
            series.Add(value);
    }

    void OnMeasured(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags, object? tag)
    {
        if (KeyOf(instrument, tags, (string)tag!) is { } key && SeriesOf(_latencies, key, static () => new LatencySeries(Capacity)) is { } series)
            series.Add(value);
    }

    /// <summary>Returns the series of a measurement; null if it is of another node in the process.</summary>
    (string Name, string Tag)? KeyOf(Instrument instrument, ReadOnlySpan<KeyValuePair<string, object?>> tags, string tag)
    {
        string value = "";
        foreach (var (name, found) in tags)
        {
            if (name == "node" && found is string node && node != _node)
                return null;
            if (name == tag)
                value = found as string ?? "";
        }
        return (instrument.Name, value);
    }

    static TSeries? SeriesOf<TSeries>(ConcurrentDictionary<(string Name, string Tag), TSeries> all, (string Name, string Tag) key, Func<TSeries> create)
        where TSeries : class =>
        all.TryGetValue(key, out var series) ? series : all.Count < MaxSeries ? all.GetOrAdd(key, _ => create()) : null;
}
