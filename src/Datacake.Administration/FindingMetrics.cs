using System.Diagnostics.Metrics;
using System.Globalization;
using Datacake.Administration.Backups;

namespace Datacake.Administration;

/// <summary>The findings of a node as a metric, on the meter <c>Datacake.Administration</c>, so that one alert covers all of them.</summary>
sealed class FindingMetrics : IDisposable
{
    readonly Meter _meter = new(BackupScheduler.MeterName);

    /// <param name="nodeId">The id of the node.</param>
    /// <param name="find">Returns the present findings.</param>
    public FindingMetrics(int nodeId, Func<IReadOnlyList<Finding>> find)
    {
        var node = new KeyValuePair<string, object?>("node", nodeId.ToString(CultureInfo.InvariantCulture));
        _meter.CreateObservableGauge(
            "datacake.findings",
            () => find().GroupBy(static finding => (finding.Code, finding.Severity)).Select(found => new Measurement<int>(
                found.Count(), node, new("code", found.Key.Code), new("severity", found.Key.Severity.ToString()))),
            "{finding}",
            "Findings of the node, by code and severity.");
    }

    public void Dispose() => _meter.Dispose();
}
