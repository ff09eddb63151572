using System.Globalization;
using System.Text.Json;
using Datacake.Benchmarks.Measuring;

namespace Datacake.Benchmarks.Reporting;

/// <summary>An earlier run, from the lines of JSON that it wrote, with which a run is compared.</summary>
sealed class SavedRun
{
    /// <summary>The ratio below which a cell counts as slower, if the ranges of its runs do not overlap, either.</summary>
    const double MinRatio = 0.9;

    readonly Dictionary<(string Workload, string Parameters, string System), Spread> _throughputs = [];

    /// <exception cref="FormatException">The file does not have the lines of a run.</exception>
    public static SavedRun Read(string path)
    {
        var run = new SavedRun();
        try
        {
            foreach (string line in File.ReadLines(path).Where(static line => line.StartsWith('{')))
            {
                using var document = JsonDocument.Parse(line);
                var root = document.RootElement;
                var figures = root.GetProperty("ops_per_s");
                run._throughputs[(Text("workload"), Text("params"), Text("system"))] = new Spread(Number("min"), Number("median"), Number("max"));

                string Text(string name) => root.GetProperty(name).GetString()!;

                double Number(string name) => figures.GetProperty(name).GetDouble();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException($"The run in '{path}' cannot be read: {e.Message} Save one with --json > FILE.", e);
        }
        return run._throughputs.Count > 0 ? run : throw new FormatException($"The file '{path}' has no run. Save one with --json > FILE.");
    }

    /// <summary>
    /// Returns a description of each system of Datacake in a cell that has become slower. If the other systems of the cell have become slower or faster, too, the machine has, and what it changed is left out.
    /// </summary>
    public IEnumerable<string> FindSlower(CellResult result)
    {
        var ratios = result.Measurements.Select(measurement => (Measurement: measurement, Before: Find(measurement))).Where(static pair => pair.Before is not null)
            .Select(static pair => (pair.Measurement, Before: pair.Before!.Value, Ratio: pair.Measurement.Throughput.Median / pair.Before.Value.Median)).ToList();
        double[] others = [.. ratios.Where(static found => !IsOurs(found.Measurement)).Select(static found => Math.Log(found.Ratio))];
        double machine = others.Length == 0 ? 1 : Math.Exp(others.Average());
        foreach (var (measurement, before, ratio) in ratios)
        {
            if (IsOurs(measurement) && ratio / machine < MinRatio && measurement.Throughput.Max / machine < before.Min)
            {
                yield return string.Create(
                    CultureInfo.InvariantCulture, $"{measurement.Cell}, {measurement.System}: {measurement.Throughput.Median:N0}/s, {ratio / machine:F2} x the {before.Median:N0}/s before");
            }
        }
    }

    Spread? Find(Measurement measurement) =>
        _throughputs.TryGetValue((measurement.Cell.Workload, measurement.Cell.Parameters, measurement.System), out var before) ? before : null;

    static bool IsOurs(Measurement measurement) => measurement.System.StartsWith("Datacake", StringComparison.Ordinal);
}
