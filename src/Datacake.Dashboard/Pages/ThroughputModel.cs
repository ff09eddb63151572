using Datacake.Dashboard.Charts;

namespace Datacake.Dashboard.Pages;

/// <summary>The throughput and latency of the node.</summary>
/// <param name="Addresses">The addresses of the pages.</param>
/// <param name="Minutes">The window of the charts.</param>
/// <param name="Charts">The charts.</param>
sealed record ThroughputModel(PageAddresses Addresses, int Minutes, IReadOnlyList<Chart> Charts)
{
    /// <summary>Returns the sum of the newest values of some lines of a chart, with the unit.</summary>
    public string Now(string chartId, int lines = int.MaxValue)
    {
        var chart = Charts.Single(chart => chart.Id == chartId);
        return chart.Format(chart.Series.Take(lines).Sum(static series => double.IsNaN(series.Newest) ? 0 : series.Newest));
    }
}
