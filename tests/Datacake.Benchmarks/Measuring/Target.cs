using System.Globalization;
using Datacake.Benchmarks.Reporting;

namespace Datacake.Benchmarks.Measuring;

/// <summary>A figure that our system has to reach in a cell.</summary>
/// <param name="Name">What is compared with what.</param>
/// <param name="Limit">What it has to be.</param>
/// <param name="IsAtLeast">Whether the limit is a least one.</param>
/// <param name="Figure">The figure, from the cell's measurements, ours first; null if it was not measured.</param>
sealed record Target(string Name, double Limit, bool IsAtLeast, Func<IReadOnlyList<Measurement>, double?> Figure)
{
    /// <summary>So many times the throughput of another system of the cell.</summary>
    public static Target Times(string system, double factor) =>
        new($"x {system}", factor, true, measurements => Ratio(measurements[0], measurements, system));

    /// <summary>So many times the throughput of another system of the cell, by one that isn't the cell's first.</summary>
    public static Target Times(string ours, string system, double factor) => new(
        $"x {system} by {ours}", factor, true,
        measurements => measurements.FirstOrDefault(measurement => measurement.System == ours) is { } first ? Ratio(first, measurements, system) : null);

    /// <summary>So many times a throughput that is known of another system, in items a second.</summary>
    public static Target TimesKnown(string system, double itemsPerSecond, double factor) => new(
        string.Create(CultureInfo.InvariantCulture, $"x {system} ({itemsPerSecond:N0}/s)"), factor, true,
        measurements => measurements[0].Throughput.Median / itemsPerSecond);

    /// <summary>An operation takes at most so long.</summary>
    public static Target Within(TimeSpan time) => new("ms", time.TotalMilliseconds, false, measurements => measurements[0].P50Microseconds / 1_000);

    /// <summary>An item is allocated at most so much for.</summary>
    public static Target Allocates(double bytesPerItem) => new("B allocated", bytesPerItem, false, measurements => measurements[0].AllocatedBytesPerItem);

    /// <summary>An operation takes at most so much processor time.</summary>
    public static Target Works(TimeSpan time) => new(
        "ms of work", time.TotalMilliseconds, false,
        measurements => measurements[0].CpuMicrosecondsPerItem * measurements[0].Cell.ItemsPerOperation / 1_000);

    /// <summary>An operation sends at most so much.</summary>
    public static Target Sends(double bytesPerOperation) => new("B sent", bytesPerOperation, false, measurements => measurements[0].WireBytesPerOperation);

    /// <summary>An item makes the process grow by at most so much.</summary>
    public static Target Keeps(double bytesPerItem) => new("B kept", bytesPerItem, false, measurements => measurements[0].KeptBytesPerItem);

    static double? Ratio(Measurement ours, IReadOnlyList<Measurement> measurements, string system) =>
        measurements.FirstOrDefault(measurement => measurement.System == system) is { } peer
            ? ours.Throughput.Median / peer.Throughput.Median
            : null;

    public bool IsMet(double figure) => IsAtLeast ? figure >= Limit : figure <= Limit;

    /// <summary>The figure beside the limit.</summary>
    public string Describe(double figure) =>
        $"{Figures.Short(figure)} {Name} ({(IsAtLeast ? "≥" : "≤")} {Figures.Short(Limit)}) {(IsMet(figure) ? "✓" : "✗")}";
}
