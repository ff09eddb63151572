namespace Datacake.Dashboard.Queries;

/// <summary>The sum of all runs of the queries with one shape and plan.</summary>
/// <param name="Shape">The query, with question marks in place of values.</param>
/// <param name="Plan">The plan.</param>
/// <param name="Tags">The tags of the newest run.</param>
/// <param name="Remedy">The newest advice to make the query read less; null if there is none.</param>
/// <param name="Runs">The number of runs.</param>
/// <param name="Failures">The number of runs that failed.</param>
/// <param name="Total">The duration of all runs.</param>
/// <param name="Longest">The duration of the longest run.</param>
/// <param name="DocumentsRead">The documents that all runs have read.</param>
/// <param name="Results">The results of all runs.</param>
/// <param name="LastRun">The time at which the newest run ended.</param>
sealed record QueryShape(
    string Shape, string Plan, IReadOnlyList<string> Tags, string? Remedy, long Runs, long Failures, TimeSpan Total, TimeSpan Longest, long DocumentsRead, long Results,
    DateTimeOffset LastRun)
{
    public TimeSpan Mean => Total / Runs;
}
