using Datacake.Benchmarks.Measuring;

namespace Datacake.Benchmarks.Reporting;

/// <summary>Writes results for people: a line for each system of a cell, and at the end how the targets stand.</summary>
sealed class ResultTable(TextWriter output)
{
    const string Heading =
        "                                               items/s       min       max        p50        p99     CPU/item   alloc/item   wire/op   ratio";

    string _workload = "";
    int _met;
    readonly List<string> _missed = [];

    public void Write(CellResult result)
    {
        if (result.Cell.Workload != _workload)
        {
            _workload = result.Cell.Workload;
            output.WriteLine();
            output.WriteLine($"{_workload,-44}{Heading[44..]}");
        }
        output.WriteLine($"  {result.Cell.Parameters}");
        double ours = result.Measurements[0].Throughput.Median;
        foreach (var measurement in result.Measurements)
        {
            var (min, median, max) = measurement.Throughput;
            string ratio = measurement == result.Measurements[0] ? "" : $"{Figures.Short(ours / median)} x";
            string wire = measurement.WireBytesPerOperation is { } bytes ? $"{Figures.Short(bytes)} B" : "";
            output.WriteLine(
                $"    {measurement.System,-38}{Figures.Short(median),12}{Figures.Short(min),10}{Figures.Short(max),10}"
                + $"{Figures.Short(measurement.P50Microseconds),8} µs{Figures.Short(measurement.P99Microseconds),8} µs"
                + $"{Figures.Short(measurement.CpuMicrosecondsPerItem),10} µs{Figures.Short(measurement.AllocatedBytesPerItem),11} B{wire,10}{ratio,8}");
        }
        foreach (var (target, figure) in result.Targets)
        {
            output.WriteLine($"    → {target.Describe(figure)}");
            if (target.IsMet(figure))
                _met++;
            else
                _missed.Add($"{result.Cell}: {target.Describe(figure)}");
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
}
