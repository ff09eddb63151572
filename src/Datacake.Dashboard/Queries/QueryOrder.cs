namespace Datacake.Dashboard.Queries;

/// <summary>The orders in which the shapes of queries can be shown.</summary>
enum QueryOrder
{
    /// <summary>By the time of all runs.</summary>
    Total,

    /// <summary>By the time of the longest run.</summary>
    Slowest,

    /// <summary>By the number of runs.</summary>
    Frequent,

    /// <summary>By the documents that all runs have read.</summary>
    Read,
}
