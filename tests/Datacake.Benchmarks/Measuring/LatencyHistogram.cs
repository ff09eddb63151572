using System.Diagnostics;
using System.Numerics;

namespace Datacake.Benchmarks.Measuring;

/// <summary>A histogram of durations with buckets that are at most 3 % wide. Not thread-safe; each worker has its own histogram.</summary>
sealed class LatencyHistogram
{
    const int StepBits = 5;
    const int Steps = 1 << StepBits;

    readonly long[] _counts = new long[(64 - StepBits) * Steps];
    long _total;

    /// <summary>Records a duration in <see cref="Stopwatch"/> ticks.</summary>
    public void Record(long ticks)
    {
        _counts[BucketOf(Math.Max(ticks, 0))]++;
        _total++;
    }

    public void Add(LatencyHistogram other)
    {
        for (int i = 0; i < _counts.Length; i++)
            _counts[i] += other._counts[i];
        _total += other._total;
    }

    /// <summary>Returns the duration in microseconds that the given share of all operations did not exceed.</summary>
    public double Quantile(double share)
    {
        long rank = (long)Math.Ceiling(share * _total);
        for (int i = 0; i < _counts.Length; i++)
        {
            rank -= _counts[i];
            if (rank <= 0)
                return TicksOf(i) * 1e6 / Stopwatch.Frequency;
        }
        return 0;
    }

    // As in a floating-point number, the bucket consists of the exponent and the bits after the leading one.
    static int BucketOf(long ticks)
    {
        if (ticks < Steps)
            return (int)ticks;
        int shift = BitOperations.Log2((ulong)ticks) - StepBits;
        return ((shift + 1) << StepBits) + (int)((ticks >> shift) - Steps);
    }

    static long TicksOf(int bucket)
    {
        if (bucket < Steps)
            return bucket;
        int shift = (bucket >> StepBits) - 1;
        return (Steps + (bucket & (Steps - 1)) + 1L) << shift;
    }
}
