namespace Datacake.Benchmarks.Measuring;

/// <summary>One workload with one set of parameters, on several systems: a row of the table for each of them.</summary>
/// <param name="Workload">Which workload it belongs to.</param>
/// <param name="Parameters">What tells it from the workload's other cells, such as <c>nodes=3 level=All tasks=10</c>.</param>
/// <param name="Subjects">The systems, ours first.</param>
sealed record Cell(string Workload, string Parameters, params IReadOnlyList<Subject> Subjects)
{
    /// <summary>How many operations are under way at a time.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>How many of what is counted one operation does: documents of a bulk, say.</summary>
    public int ItemsPerOperation { get; init; } = 1;

    /// <summary>A worker stops after so many operations, if the time is not over before.</summary>
    public long MaxOperationsPerWorker { get; init; } = long.MaxValue;

    /// <summary>
    /// Whether each system is set up, warmed up and taken down again for each run, since one that is there works on even while another is measured.
    /// </summary>
    public bool IsolatesSystems { get; init; }

    /// <summary>Whether the bytes on sockets are of interest.</summary>
    public bool CountsWireBytes { get; init; }

    /// <summary>Whether the memory that the process keeps is of interest; then each run ends with a full collection.</summary>
    public bool CountsKeptBytes { get; init; }

    /// <summary>What our system has to reach.</summary>
    public IReadOnlyList<Target> Targets { get; init; } = [];

    public override string ToString() => $"{Workload} {Parameters}";
}
