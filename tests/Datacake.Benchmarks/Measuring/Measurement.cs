namespace Datacake.Benchmarks.Measuring;

/// <summary>What one system did in one cell, over all counted runs.</summary>
/// <param name="Cell">The cell.</param>
/// <param name="System">The system.</param>
/// <param name="Throughput">Items a second, of the runs.</param>
/// <param name="P50Microseconds">The time that half of the operations took at most.</param>
/// <param name="P99Microseconds">The time that 99 of 100 operations took at most.</param>
/// <param name="CpuMicrosecondsPerItem">Processor time of the whole process.</param>
/// <param name="AllocatedBytesPerItem">Managed bytes allocated in the whole process.</param>
/// <param name="WireBytesPerOperation">Bytes that the whole process sent on sockets; null if that was not of interest.</param>
/// <param name="KeptBytesPerItem">By how much the memory of the process has grown; null if that was not of interest.</param>
sealed record Measurement(
    Cell Cell, string System, Spread Throughput, double P50Microseconds, double P99Microseconds, double CpuMicrosecondsPerItem,
    double AllocatedBytesPerItem, double? WireBytesPerOperation, double? KeptBytesPerItem);

/// <summary>The least, the middle and the greatest of some figures.</summary>
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
