namespace Datacake.Benchmarks.Measuring;

/// <summary>One workload with one set of parameters on several systems. Each system is a row of the table.</summary>
/// <param name="Workload">The name of the workload.</param>
/// <param name="Parameters">The parameters that distinguish the cell within its workload, such as <c>nodes=3 level=All tasks=10</c>.</param>
/// <param name="Subjects">The systems to measure, Datacake first.</param>
sealed record Cell(string Workload, string Parameters, params IReadOnlyList<Subject> Subjects)
{
    /// <summary>Gets the number of concurrent operations.</summary>
    public int Workers { get; init; } = 1;

    /// <summary>Gets the number of items that one operation processes, such as the documents of a bulk.</summary>
    public int ItemsPerOperation { get; init; } = 1;

    /// <summary>Gets the number of operations after which a worker stops before the time is over.</summary>
    public long MaxOperationsPerWorker { get; init; } = long.MaxValue;

    /// <summary>
    /// True to set up, warm up and close each system for every run, because an open system keeps working while another is measured.
    /// </summary>
    public bool IsolatesSystems { get; init; }

    /// <summary>True to count the bytes sent on sockets.</summary>
    public bool CountsWireBytes { get; init; }

    /// <summary>True to measure the memory that the process retains. Each run then ends with a full garbage collection.</summary>
    public bool CountsKeptBytes { get; init; }

    /// <summary>Gets the targets that Datacake must reach.</summary>
    public IReadOnlyList<Target> Targets { get; init; } = [];

    public override string ToString() => $"{Workload} {Parameters}";
}
