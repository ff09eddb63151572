using System.Globalization;

namespace Datacake.Benchmarks.Measuring;

/// <summary>A figure that Datacake must reach in a cell.</summary>
/// <param name="Name">The unit or the comparison, shown between the figure and the limit.</param>
/// <param name="Limit">The value to reach.</param>
/// <param name="IsAtLeast">True if the limit is a minimum; false if it is a maximum.</param>
/// <param name="Figure">Computes the figure from the cell's measurements, Datacake first; returns null if it was not measured.</param>
sealed record Target(string Name, double Limit, bool IsAtLeast, Func<IReadOnlyList<Measurement>, double?> Figure)
{
    /// <summary>Returns the target of a multiple of the throughput of another system of the cell.</summary>
    public static Target Times(string system, double factor) =>
        new($"x {system}", factor, true, measurements => Ratio(measurements[0], measurements, system));

    /// <summary>Returns the target of a multiple of the throughput of another system, for a system that is not the cell's first.</summary>
    public static Target Times(string ours, string system, double factor) => new(
        $"x {system} by {ours}", factor, true,
        measurements => measurements.FirstOrDefault(measurement => measurement.System == ours) is { } first ? Ratio(first, measurements, system) : null);

    /// <summary>Returns the target of a multiple of another system's known throughput, in items per second.</summary>
    public static Target TimesKnown(string system, double itemsPerSecond, double factor) => new(
        string.Create(CultureInfo.InvariantCulture, $"x {system} ({itemsPerSecond:N0}/s)"), factor, true,
        measurements => measurements[0].Throughput.Median / itemsPerSecond);

    /// <summary>Returns the target of a maximum median duration per operation.</summary>
    public static Target Within(TimeSpan time) => new("ms", time.TotalMilliseconds, false, measurements => measurements[0].P50Microseconds / 1_000);

    /// <summary>Returns the target of a maximum multiple of the median duration of another system of the cell.</summary>
    public static Target LatencyOf(string system, double factor) => new(
        $"x latency of {system}", factor, false,
        measurements => measurements.FirstOrDefault(measurement => measurement.System == system) is { } peer
            ? measurements[0].P50Microseconds / peer.P50Microseconds : null);

    /// <summary>Returns the target of a maximum number of allocated bytes per item.</summary>
    public static Target Allocates(double bytesPerItem) => new("B allocated", bytesPerItem, false, measurements => measurements[0].AllocatedBytesPerItem);

    /// <summary>Returns the target of a maximum processor time per operation.</summary>
    public static Target Works(TimeSpan time) => new(
        "ms of work", time.TotalMilliseconds, false,
        measurements => measurements[0].CpuMicrosecondsPerItem * measurements[0].Cell.ItemsPerOperation / 1_000);

    /// <summary>Returns the target of a maximum number of bytes sent per operation.</summary>
    public static Target Sends(double bytesPerOperation) => new("B sent", bytesPerOperation, false, measurements => measurements[0].WireBytesPerOperation);

    /// <summary>Returns the target of a maximum growth of the process in bytes per item.</summary>
    public static Target Keeps(double bytesPerItem) => new("B kept", bytesPerItem, false, measurements => measurements[0].KeptBytesPerItem);

    static double? Ratio(Measurement ours, IReadOnlyList<Measurement> measurements, string system) =>
        measurements.FirstOrDefault(measurement => measurement.System == system) is { } peer
            ? ours.Throughput.Median / peer.Throughput.Median
            : null;

    public bool IsMet(double figure) => IsAtLeast ? figure >= Limit : figure <= Limit;
}
