namespace Datacake.Dashboard.Metrics;

/// <summary>
/// The durations of an operation in each interval of the history: the median, the 95th percentile and the maximum. Measurements are thread-safe;
/// the rest is called under the lock of the history.
/// </summary>
sealed class LatencySeries(int capacity)
{
    const int BucketsPerDecade = 16;
    const double Shortest = 1e-6;   // seconds

    readonly int[] _buckets = new int[9 * BucketsPerDecade];    // up to 1,000 s
    readonly Ring _median = new(capacity), _high = new(capacity), _longest = new(capacity);
    long _max;          // the longest duration of this interval, as the bits of a positive double, which sort like their values

    public void Add(double seconds)
    {
        Interlocked.Increment(ref _buckets[BucketOf(seconds)]);
        long bits = BitConverter.DoubleToInt64Bits(Math.Max(seconds, 0));
        for (long known = Volatile.Read(ref _max); bits > known; known = Volatile.Read(ref _max))
        {
            if (Interlocked.CompareExchange(ref _max, bits, known) == known)
                break;
        }
    }

    public void EndInterval()
    {
        Span<int> counts = stackalloc int[_buckets.Length];
        long total = 0;
        for (int i = 0; i < counts.Length; i++)
            total += counts[i] = Interlocked.Exchange(ref _buckets[i], 0);
        double max = BitConverter.Int64BitsToDouble(Interlocked.Exchange(ref _max, 0));
        // An interval without measurements has no duration; the chart shows a gap.
        _median.Add(total == 0 ? float.NaN : (float)Math.Min(Percentile(counts, total, 0.5), max));
        _high.Add(total == 0 ? float.NaN : (float)Math.Min(Percentile(counts, total, 0.95), max));
        _longest.Add(total == 0 ? float.NaN : (float)max);
    }

    public void CopyNewest(Span<float> median, Span<float> high, Span<float> longest)
    {
        _median.CopyNewest(median);
        _high.CopyNewest(high);
        _longest.CopyNewest(longest);
    }

    static int BucketOf(double seconds) =>
        seconds <= Shortest ? 0 : Math.Min((int)(Math.Log10(seconds / Shortest) * BucketsPerDecade), (9 * BucketsPerDecade) - 1);

    /// <summary>Returns the upper end of the bucket that has the percentile.</summary>
    static double Percentile(ReadOnlySpan<int> counts, long total, double part)
    {
        long rank = (long)Math.Ceiling(total * part);
        for (int i = 0; i < counts.Length; i++)
        {
            rank -= counts[i];
            if (rank <= 0)
                return Shortest * Math.Pow(10, (i + 1) / (double)BucketsPerDecade);
        }
        return double.MaxValue;
    }
}
