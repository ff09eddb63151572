using System.Globalization;
using System.Text;
using Datacake.Dashboard.Formatting;

namespace Datacake.Dashboard.Charts;

/// <summary>A chart of lines over time, as coordinates and texts. The component draws it. Pure.</summary>
/// <param name="Id">The id in the page.</param>
/// <param name="Title">The title.</param>
/// <param name="Unit">The unit of the values.</param>
/// <param name="Series">The lines, at most six.</param>
/// <param name="End">The time of the newest value.</param>
/// <param name="Step">The time between two values.</param>
sealed record Chart(string Id, string Title, ChartUnit Unit, IReadOnlyList<ChartSeries> Series, DateTimeOffset End, TimeSpan Step)
{
    /// <summary>The size of the drawing, which is stretched to that of the page.</summary>
    public const int Width = 1000, Height = 200;

    const int TableRows = 10;

    /// <summary>Gets the greatest value of the vertical axis, which begins at 0.</summary>
    public double Top { get; } = NiceTop(Series.Select(static series => series.Greatest).Where(static value => !double.IsNaN(value)).DefaultIfEmpty(0).Max(), Unit);

    /// <summary>Gets the number of values of each line.</summary>
    public int Count => Series.Count == 0 ? 0 : Series[0].Values.Count;

    /// <summary>Gets the time that the chart covers.</summary>
    public TimeSpan Span => Step * Count;

    /// <summary>Gets whether the chart has any value other than 0.</summary>
    public bool IsEmpty => Series.All(static series => series.Values.All(static value => double.IsNaN(value) || value == 0));

    /// <summary>Returns a value with its unit.</summary>
    public string Format(double value) => double.IsNaN(value) ? "–" : Unit switch
    {
        ChartUnit.Seconds => Shown.Duration(value),
        ChartUnit.BytesPerSecond => $"{Shown.Bytes(value)}/s",
        _ => $"{Shown.Short(value)}/s",
    };

    /// <summary>Returns the path of a line. A gap in the values is a gap in the line.</summary>
    public string PathOf(ChartSeries series)
    {
        var path = new StringBuilder();
        bool isOpen = false;
        for (int i = 0; i < Count; i++)
        {
            double value = series.Values[i];
            if (double.IsNaN(value))
            {
                isOpen = false;
                continue;
            }
            double x = Count == 1 ? Width : (double)Width * i / (Count - 1), y = Height - (Height * Math.Min(value / Top, 1));
            path.Append(CultureInfo.InvariantCulture, $"{(isOpen ? 'L' : 'M')}{x:0.#} {y:0.#}");
            // A value between two gaps is a point.
            if (!isOpen && (i + 1 == Count || double.IsNaN(series.Values[i + 1])))
                path.Append("h0.1");
            isOpen = true;
        }
        return path.ToString();
    }

    /// <summary>Returns the content of the chart in a few sentences, for people who do not see it.</summary>
    public string Summarize()
    {
        if (IsEmpty)
            return $"{Title}: nothing in the last {Shown.Duration(Span.TotalSeconds)}.";
        var lines = Series.Select(series => $"{series.Name} is now {Format(series.Newest)} and was at most {Format(series.Greatest)}");
        return $"{Title} in the last {Shown.Duration(Span.TotalSeconds)}: {string.Join("; ", lines)}.";
    }

    /// <summary>Returns a few moments with the values of all lines then, the newest first.</summary>
    public IEnumerable<(DateTimeOffset Time, IReadOnlyList<double> Values)> Rows()
    {
        for (int i = Count - 1, step = Math.Max(1, Count / TableRows); i >= 0; i -= step)
            yield return (End - (Step * (Count - 1 - i)), [.. Series.Select(series => series.Values[i])]);
    }

    /// <summary>Returns the first round number that is not below a value.</summary>
    static double NiceTop(double value, ChartUnit unit)
    {
        if (value <= 0)
            return unit == ChartUnit.Seconds ? 0.001 : unit == ChartUnit.BytesPerSecond ? 1024 : 1;
        // Labels of bytes are round in powers of two.
        double unitOf = unit == ChartUnit.BytesPerSecond ? Math.Pow(1024, Math.Max(0, Math.Floor(Math.Log(value, 1024)))) : 1;
        double scaled = value / unitOf, magnitude = Math.Pow(10, Math.Floor(Math.Log10(scaled)));
        double[] steps = [1, 2, 4, 5, 8, 10];
        return steps.First(step => step * magnitude >= scaled * 0.999999) * magnitude * unitOf;
    }
}
