using Datacake.Benchmarks.Measuring;

namespace Datacake.Benchmarks.Reporting;

/// <summary>A human-readable table with a line for each system of a cell and a final summary of the targets.</summary>
sealed class ResultTable(TextWriter output)
{
    static readonly string Heading = Line("", "items/s", "min", "max", "p50", "p99", "CPU/item", "alloc/item", "wire/op", "ratio");

    string _workload = "";
    int _met;
    readonly List<string> _missed = [];

    public void Write(CellResult result)
    {
        if (result.Cell.Workload != _workload)
        {
            _workload = result.Cell.Workload;
            output.WriteLine();
            output.WriteLine($"{_workload}{Heading[_workload.Length..]}");
        }
        output.WriteLine($"  {result.Cell.Parameters}");
        double ours = result.Measurements[0].Throughput.Median;
        foreach (var measurement in result.Measurements)
        {
            var (min, median, max) = measurement.Throughput;
            string ratio = measurement == result.Measurements[0] ? "" : $"{Figures.Short(ours / median)} x";
            string wire = measurement.WireBytesPerOperation is { } bytes ? $"{Figures.Short(bytes)} B" : "";
            output.WriteLine(Line(
                measurement.System, Figures.Short(median), Figures.Short(min), Figures.Short(max), $"{Figures.Short(measurement.P50Microseconds)} µs",
                $"{Figures.Short(measurement.P99Microseconds)} µs", $"{Figures.Short(measurement.CpuMicrosecondsPerItem)} µs",
                $"{Figures.Short(measurement.AllocatedBytesPerItem)} B", wire, ratio));
        }
        foreach (var (target, figure) in result.Targets)
        {
            output.WriteLine($"    → {Describe(target, figure)}");
            if (target.IsMet(figure))
                _met++;
            else
                _missed.Add($"{result.Cell}: {Describe(target, figure)}");
        }
    }

    public void WriteSummary()
    {
        if (_met + _missed.Count == 0)
            return;
        output.WriteLine();
        output.WriteLine($"{_met} of {_met + _missed.Count} targets are met.");
        foreach (string missed in _missed)
            output.WriteLine($"  {missed}");
    }

    /// <summary>Formats a figure together with the limit of its target.</summary>
    static string Describe(Target target, double figure) =>
        $"{Figures.Short(figure)} {target.Name} ({(target.IsAtLeast ? "≥" : "≤")} {Figures.Short(target.Limit)}) {(target.IsMet(figure) ? "✓" : "✗")}";

    static string Line(
        string system, string throughput, string min, string max, string p50, string p99, string cpu, string allocated, string wire, string ratio) =>
        $"    {system,-34}{throughput,13}{min,13}{max,13}{p50,13}{p99,14}{cpu,11}{allocated,12}{wire,14}{ratio,10}".TrimEnd();
}
