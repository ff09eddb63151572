namespace Datacake.Benchmarks.Measuring;

/// <summary>The results of one system in one cell, over all counted runs.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="System">The system.</param>
/// <param name="Throughput">The items per second of the runs.</param>
/// <param name="P50Microseconds">The median duration of an operation.</param>
/// <param name="P99Microseconds">The 99th percentile of the durations of operations.</param>
/// <param name="CpuMicrosecondsPerItem">The processor time of the whole process.</param>
/// <param name="AllocatedBytesPerItem">The managed bytes allocated in the whole process.</param>
/// <param name="WireBytesPerOperation">The bytes that the whole process sent on sockets; null if they were not counted.</param>
/// <param name="KeptBytesPerItem">The growth of the memory of the process in bytes; null if it was not measured.</param>
sealed record Measurement(
    Cell Cell, string System, Spread Throughput, double P50Microseconds, double P99Microseconds, double CpuMicrosecondsPerItem,
    double AllocatedBytesPerItem, double? WireBytesPerOperation, double? KeptBytesPerItem);

/// <summary>The minimum, the median and the maximum of some figures.</summary>
readonly record struct Spread(double Min, double Median, double Max)
{
    public static Spread Of(IEnumerable<double> figures)
    {
        double[] sorted = [.. figures.Order()];
        int middle = sorted.Length / 2;
        double median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(sorted[0], median, sorted[^1]);
    }
}
