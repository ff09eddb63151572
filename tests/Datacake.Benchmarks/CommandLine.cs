namespace Datacake.Benchmarks;

/// <summary>What the command line asks for.</summary>
/// <param name="Workload">The name of one, or <c>all</c>.</param>
/// <param name="IsJson">Whether to write lines of JSON instead of a table.</param>
/// <param name="IsQuick">Whether to measure the cells that show the most, briefly.</param>
/// <param name="Filter">A part of the names of the cells to measure; null: all of them.</param>
/// <param name="Plot">The file to draw the comparison to, or null.</param>
sealed record CommandLine(string Workload, bool IsJson, bool IsQuick, string? Filter, string? Plot)
{
    public const string Usage = """
        Usage: Datacake.Benchmarks WORKLOAD [--quick] [--filter TEXT] [--json] [--plot FILE.svg]

          WORKLOAD       replication, orm, storage, rpc, sync, crdt, or all
          --quick        only the cells that show the most, with short runs
          --filter TEXT  only the cells with this in their name, such as "nodes=3 store=memory level=All"
          --json         a line of JSON for each system of a cell, instead of a table
          --plot FILE    draws the comparison as an SVG, too
        """;

    /// <exception cref="FormatException">The arguments are not those of the usage.</exception>
    public static CommandLine Parse(ReadOnlySpan<string> args)
    {
        string? workload = null, filter = null, plot = null;
        bool isJson = false, isQuick = false;
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
                case "--filter" when i + 1 < args.Length:
                    filter = args[++i];
                    break;
                case "--plot" when i + 1 < args.Length:
                    plot = args[++i];
                    break;
                case var name when workload is null && !name.StartsWith('-'):
                    workload = name;
                    break;
                default:
                    throw new FormatException($"'{args[i]}' is not understood.");
            }
        }
        return new CommandLine(workload ?? throw new FormatException("The workload is missing."), isJson, isQuick, filter, plot);
    }
}
