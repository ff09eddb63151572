using System.Globalization;
using System.Net;
using Datacake.Benchmarks.Measuring;

namespace Datacake.Benchmarks.Reporting;

/// <summary>
/// A bar chart of results in SVG. Each system of a cell has a bar, whose length is the logarithm of its throughput, and a label with the
/// throughput.
/// </summary>
sealed class BarChart
{
    const int LabelWidth = 330, BarWidth = 420, FigureWidth = 210, BarHeight = 14, CellGap = 12, HeadingHeight = 40, Decades = 8;

    // These colors can be distinguished with any color vision.
    static readonly string[] Colors = ["#0072b2", "#e69f00", "#999999", "#009e73", "#cc79a7", "#56b4e9"];

    readonly List<CellResult> _results = [];

    public void Add(CellResult result) => _results.Add(result);

    public void Write(TextWriter output)
    {
        string[] systems = [.. _results.SelectMany(result => result.Measurements).Select(measurement => measurement.System).Distinct()];
        int height = _results.Sum(result => result.Measurements.Count * BarHeight + CellGap)
            + (_results.Select(result => result.Cell.Workload).Distinct().Count() + 1) * HeadingHeight;
        output.WriteLine(Text($"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{LabelWidth + BarWidth + FigureWidth}\" height=\"{height}\" ")
            + "font-family=\"sans-serif\" font-size=\"12\">");
        output.WriteLine("<rect width=\"100%\" height=\"100%\" fill=\"white\"/>");

        int y = HeadingHeight / 2;
        string workload = "";
        foreach (var result in _results)
        {
            if (result.Cell.Workload != workload)
            {
                workload = result.Cell.Workload;
                y += HeadingHeight;
                output.WriteLine(Text($"<text x=\"10\" y=\"{y - 12}\" font-size=\"16\" font-weight=\"bold\">{workload}: items a second</text>"));
            }
            output.WriteLine(Text(
                $"<text x=\"{LabelWidth - 10}\" y=\"{y + BarHeight - 3}\" text-anchor=\"end\">{WebUtility.HtmlEncode(result.Cell.Parameters)}</text>"));
            foreach (var measurement in result.Measurements)
            {
                WriteBar(output, measurement, result.Measurements[0], Colors[Array.IndexOf(systems, measurement.System) % Colors.Length], y);
                y += BarHeight;
            }
            y += CellGap;
        }
        output.WriteLine("</svg>");
    }

    static void WriteBar(TextWriter output, Measurement measurement, Measurement first, string color, int y)
    {
        double throughput = measurement.Throughput.Median;
        double width = Math.Clamp(Math.Log10(Math.Max(throughput, 1)) / Decades, 0.002, 1) * BarWidth;
        string ratio = measurement == first ? "" : Text($" (1/{Figures.Short(first.Throughput.Median / throughput)})");
        output.WriteLine(Text($"<rect x=\"{LabelWidth}\" y=\"{y}\" width=\"{width:0.0}\" height=\"{BarHeight - 2}\" fill=\"{color}\"/>"));
        output.WriteLine(Text($"<text x=\"{LabelWidth + width + 5:0.0}\" y=\"{y + BarHeight - 3}\">")
            + $"{WebUtility.HtmlEncode(measurement.System)} {Figures.Short(throughput)}{ratio}</text>");
    }

    static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
