using System.Globalization;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Quickstart;

enum StorageKind
{
    Sqlite,
    Memory,
}

/// <summary>The options of the command line.</summary>
sealed record Options
{
    public const string Help = """
        Datacake.Data quickstart: three nodes, one save, a cut cable and a crash.

          dotnet run --project samples/Quickstart [-- OPTIONS]

          --storage sqlite|memory  where each node keeps its data (default: sqlite)
          --data DIR               the folder for the SQLite files, which are kept (default: a temporary one)
          --help                   prints this help

        One node, for a cluster of real processes:

          --node N                 the node's id, 0 to 255
          --listen HOST:PORT       its address (default: 127.0.0.1 and a free port)
          --seeds A,B,C            addresses of nodes, this one's may be included (default: none; the node is the first of its cluster)

        If other machines can reach the node, set the environment variable DATACAKE_SECRET to the same 16 or more characters on all nodes.
        The node reads commands from standard input ("help" lists them) until the input ends or Ctrl+C or SIGTERM stops it.
        """;

    public StorageKind Storage { get; init; } = StorageKind.Sqlite;

    public string? DataFolder { get; init; }

    public bool WantsHelp { get; init; }

    /// <summary>Gets the id of the node to run, or null to run the whole scenario.</summary>
    public int? NodeId { get; init; }

    public string ListenAddress { get; init; } = "127.0.0.1:0";

    public IReadOnlyList<string> Seeds { get; init; } = [];

    /// <exception cref="FormatException">An argument is unknown, malformed or out of place. The message names it and the valid choices.</exception>
    public static Options Parse(IReadOnlyList<string> arguments)
    {
        var options = new Options();
        for (int i = 0; i < arguments.Count; i++)
        {
            string name = arguments[i];
            options = name switch
            {
                "--help" or "-h" => options with { WantsHelp = true },
                "--storage" => options with { Storage = ToStorage(Value()) },
                "--data" => options with { DataFolder = Value() },
                "--node" => options with { NodeId = ToNodeId(Value()) },
                "--listen" => options with { ListenAddress = Value() },
                "--seeds" => options with { Seeds = Value().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) },
                _ => throw new FormatException($"'{name}' is not an option. Use --help to list the options."),
            };

            string Value() => ++i < arguments.Count ? arguments[i] : throw new FormatException($"The option {name} has no value.");
        }
        if (options.NodeId is null && (options.Seeds.Count > 0 || options.ListenAddress != new Options().ListenAddress))
            throw new FormatException("--listen and --seeds are for one node. Say which: --node 1.");
        return options;
    }

    /// <summary>Configures a node with the storage that was chosen.</summary>
    public void ChooseStorage(DatacakeNodeOptions node, int nodeId, string dataFolder)
    {
        if (Storage == StorageKind.Sqlite)
            node.UseSqlite(Path.Combine(dataFolder, $"node-{nodeId}.db"));
        else
            node.UseMemory();
    }

    static StorageKind ToStorage(string text) => text switch
    {
        "sqlite" => StorageKind.Sqlite,
        "memory" => StorageKind.Memory,
        _ => throw new FormatException($"There is no storage '{text}'. Choose sqlite or memory."),
    };

    static int ToNodeId(string text) => byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte id)
        ? id
        : throw new FormatException($"'{text}' is not a node id. Choose a number from 0 to 255.");
}
