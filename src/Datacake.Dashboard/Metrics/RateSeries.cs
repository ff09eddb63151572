namespace Datacake.Dashboard.Metrics;

/// <summary>A counter, and how much it grew in each interval of the history. Measurements are thread-safe; the rest is called under the lock of the history.</summary>
sealed class RateSeries(int capacity)
{
    readonly Ring _ring = new(capacity);
    long _current;      // since the last interval ended

    public void Add(long value) => Interlocked.Add(ref _current, value);

    public void EndInterval(TimeSpan interval) => _ring.Add((float)(Interlocked.Exchange(ref _current, 0) / interval.TotalSeconds));

    public void CopyNewest(Span<float> values) => _ring.CopyNewest(values);
}
