namespace Datacake.Benchmarks;

/// <summary>The parsed command line.</summary>
/// <param name="Workload">The name of a workload, or <c>all</c>.</param>
/// <param name="IsJson">True to write lines of JSON instead of a table.</param>
/// <param name="IsQuick">True to measure only the most informative cells, with short runs.</param>
/// <param name="Filter">A part of the names of the cells to measure; null to measure all cells.</param>
/// <param name="Plot">The SVG file for the chart; null for no chart.</param>
/// <param name="Compare">The file with an earlier run to compare with; null for no comparison.</param>
/// <param name="HasTelemetry">True if something listens to all metrics and spans of Datacake.</param>
sealed record CommandLine(string Workload, bool IsJson, bool IsQuick, string? Filter, string? Plot, string? Compare, bool HasTelemetry)
{
    public const string Usage = """
        Usage: Datacake.Benchmarks WORKLOAD [--quick] [--filter TEXT] [--json] [--plot FILE.svg] [--compare FILE] [--telemetry]

          WORKLOAD       replication, serial, orm, postgresql, scale, storage, rpc, sync, crdt, caching, signalr, or all
          --quick        measure only the most informative cells, with short runs
          --filter TEXT  measure only cells whose name contains TEXT, such as "nodes=3 store=memory level=All"
          --json         write a line of JSON for each system of a cell instead of a table
          --plot FILE    also draw the comparison as an SVG
          --compare FILE list what has become slower since the run that --json wrote to FILE, beyond noise; the exit code is then 3
          --telemetry    listen to all metrics and spans of Datacake, to measure what that costs
        """;

    /// <exception cref="FormatException">The arguments are invalid.</exception>
    public static CommandLine Parse(ReadOnlySpan<string> args)
    {
        string? workload = null, filter = null, plot = null, compare = null;
        bool isJson = false, isQuick = false, hasTelemetry = false;
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--json":
                    isJson = true;
                    break;
                case "--quick":
                    isQuick = true;
                    break;
                case "--telemetry":
                    hasTelemetry = true;
                    break;
                case "--filter" when i + 1 < args.Length:
                    filter = args[++i];
                    break;
                case "--plot" when i + 1 < args.Length:
                    plot = args[++i];
                    break;
                case "--compare" when i + 1 < args.Length:
                    compare = args[++i];
                    break;
                case var name when workload is null && !name.StartsWith('-'):
                    workload = name;
                    break;
                default:
                    throw new FormatException($"The argument '{args[i]}' is unknown or incomplete.");
            }
        }
        return new CommandLine(workload ?? throw new FormatException("The workload is missing."), isJson, isQuick, filter, plot, compare, hasTelemetry);
    }
}
