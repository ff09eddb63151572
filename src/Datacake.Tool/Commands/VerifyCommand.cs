using System.CommandLine;
using System.Globalization;
using Datacake.Administration;
using Datacake.Tool.Comparing;
using Datacake.Tool.Connections;
using Datacake.Tool.Terminal;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Datacake.Tool.Commands;

/// <summary>The command that verifies the store of a node, and compares it with all members.</summary>
static class VerifyCommand
{
    static readonly Option<string[]> With = new("--with")
    {
        HelpName = "HOST:PORT",
        Description = "Compare with this node instead of all members, such as one that was started from a backup.",
        AllowMultipleArgumentsPerToken = true,
    };
    static readonly Option<double> Pause = new("--pause")
    {
        HelpName = "SECONDS",
        Description = "The time between both comparisons, in which writes that are on their way arrive.",
        DefaultValueFactory = static _ => 3,
    };

    public static IEnumerable<Command> All =>
    [
        new ToolCommand("verify", "Verifies the store of the node, and compares the documents of all members.", "verify --connect 10.0.0.1:7001", [With, Pause, NodeOptions.Store, .. NodeOptions.All]).Runs(VerifyAsync),
    ];

    static async Task<ExitCode> VerifyAsync(ParseResult parsed, Output output, CancellationToken cancellationToken)
    {
        double pause = parsed.GetValue(Pause);
        if (pause is not (>= 0 and <= 3_600))
            throw new ToolException(ExitCode.Usage, "--pause is a number of seconds, from 0 to 3,600.");
        string address = NodeOptions.AddressOf(parsed);
        var access = NodeOptions.AccessOf(parsed);
        var node = access.Open(address);
        await using var disposal = node.ConfigureAwait(false);
        output.Message($"Verifying the store {(access.Store is { } name ? $"'{name}' " : "")}of {address}.");
        var store = await node.Client.VerifyAsync(cancellationToken).ConfigureAwait(false);
        var others = new List<string>(parsed.GetValue(With) ?? []);
        others.ForEach(NodeOptions.CheckAddress);
        var unreachable = new List<string>();
        if (others.Count == 0)
        {
            var status = await node.Client.GetStatusAsync(cancellationToken).ConfigureAwait(false);
            foreach (var member in status.Members.Where(member => member.NodeId != status.NodeId && member.HasJoined))
            {
                if (member.Address.Length > 0)
                    others.Add(member.Address);
                else
                    unreachable.Add($"The address of node {member.NodeId} is not known. Start the node.");
            }
        }
        var compared = new List<string>();
        var differences = new List<KeyspaceComparison>();
        foreach (string other in others)
        {
            output.Message($"Comparing {address} with {other}.");
            var connection = access.Open(other);
            await using var otherDisposal = connection.ConfigureAwait(false);
            try
            {
                differences.AddRange(await new NodeComparison(node, connection, TimeSpan.FromSeconds(pause)).CompareAsync(cancellationToken).ConfigureAwait(false));
                compared.Add(other);
            }
            catch (AdministrationException e)
            {
                unreachable.Add($"The comparison with {other} has failed: {e.Message}");
            }
        }
        var result = new ClusterVerification(store, compared, unreachable, differences);
        output.Write(result, ToolJson.Default.ClusterVerification, Render);
        return result.IsSound ? ExitCode.Good : ExitCode.Findings;
    }

    static Rows Render(ClusterVerification result)
    {
        var rows = new List<IRenderable> { new Text(Output.Clean($"{result.Store}")) };
        if (result.Compared.Count > 0)
            rows.Add(new Text($"Compared with {string.Join(", ", result.Compared)}: {(result.Differences.Count == 0 ? "all documents are equal" : $"{result.Differences.Count} keyspaces differ")}."));
        rows.AddRange(result.Unreachable.Select(static problem => new Text(Output.Clean(problem))));
        foreach (var keyspace in result.Differences)
        {
            rows.Add(new Text(Output.Clean(string.Create(CultureInfo.InvariantCulture,
                $"{keyspace.Keyspace} on {keyspace.Address} and {keyspace.OtherAddress}: {keyspace.Differing:N0} documents differ{(keyspace.Differing > keyspace.Documents.Count ? $", of which these are the first {keyspace.Documents.Count}" : "")}."))));
            var table = Output.Table("Key", $"On {keyspace.OtherAddress}");
            foreach (var document in keyspace.Documents)
                Output.AddRow(table, document.Key.GetRawText(), document.Difference);
            rows.Add(table);
        }
        return new Rows(rows);
    }
}
