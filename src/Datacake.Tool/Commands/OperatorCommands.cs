using System.CommandLine;
using Datacake.Administration;
using Datacake.Administration.Contracts;
using Datacake.Tool.Connections;
using Datacake.Tool.Terminal;
using Spectre.Console;

namespace Datacake.Tool.Commands;

/// <summary>The commands of operators: retire, forget, allow-removal, recover-serial, drop-keyspace, backup and compact.</summary>
static class OperatorCommands
{
    static readonly Argument<byte> NodeId = new("ID") { Description = "The id of a node." };
    static readonly Argument<string> Path = new("PATH")
    {
        Description = "A path on the machine of the node, at which nothing exists yet; or a folder, in which the copy gets a name with the time, the node and the cluster.",
    };

    static readonly Option<bool> Verify = new("--verify") { Description = "Read the whole copy before it gets its name: checksums, identity, and the number of documents." };
    static readonly Option<int?> Keep = new("--keep") { HelpName = "N", Description = "Keep only the newest N backups of the node in the folder. Others are deleted once the new one is complete." };

    static readonly Option<bool> Running = new("--running") { Description = "Retire the node although it is running. Without this option, a node with an open session is refused." };

    public static IEnumerable<Command> All =>
    [
        Create("retire", "Retires a node that never comes back, so that it counts no longer.", "retire 3", [NodeId, Running],
            static async (parsed, client, token) =>
            {
                byte id = parsed.GetValue(NodeId);
                var member = (await client.GetStatusAsync(token).ConfigureAwait(false)).Members.FirstOrDefault(member => member.NodeId == id);
                return $"Node {id}{(member is { Address.Length: > 0 } ? $" at {member.Address}" : "")} is retired for good{InStore(parsed)}: its store never becomes part of the cluster again.";
            },
            static (parsed, client, token) => client.RetireAsync(parsed.GetValue(NodeId), parsed.GetValue(Running), token)),
        Create("forget", "Forgets a node that is away for long, so that nothing is kept for it.", "forget 3", [NodeId],
            static (parsed, _, _) => Task.FromResult($"Node {parsed.GetValue(NodeId)} is forgotten{InStore(parsed)}: when it returns, it is compared with the connected node as a whole."),
            static (parsed, client, token) => client.ForgetAsync(parsed.GetValue(NodeId), token)),
        Create("allow-removal", "Allows a removal that is held back.", "allow-removal", [],
            static async (parsed, client, token) => (await client.GetStatusAsync(token).ConfigureAwait(false)).Findings.FirstOrDefault(finding => finding.Code == "held-removal" && IsOfStore(parsed, finding))?.Problem
                ?? $"No removal is held back{InStore(parsed)}.",
            static (_, client, token) => client.AllowRemovalAsync(token)),
        Create("recover-serial", "Begins the serial transactions anew, after a majority of the voters was lost for good.", "recover-serial", [],
            static (parsed, _, _) => Task.FromResult($"The node becomes the only voter{InStore(parsed)}, and the other members follow it. Serial transactions that only the lost voters had are lost. Retire the lost nodes first, and do this at one node only."),
            static (_, client, token) => client.RecoverSerialAsync(token)),
        Create("drop-keyspace", "Removes all documents of a keyspace, on all nodes.", "drop-keyspace Cakes", [CommonArguments.Keyspace],
            static async (parsed, client, token) =>
            {
                string name = parsed.GetRequiredValue(CommonArguments.Keyspace);
                long count = (await client.ListKeyspacesAsync(token).ConfigureAwait(false)).FirstOrDefault(keyspace => keyspace.Name == name)?.Documents ?? 0;
                return $"The keyspace {name} loses all of its {Output.Format(count)} documents, on all nodes{InStore(parsed)}.";
            },
            static (parsed, client, token) => client.DropKeyspaceAsync(parsed.GetRequiredValue(CommonArguments.Keyspace), token)),
        Create("backup", "Copies the store of the node to a path on its machine, while the node continues to work.", "backup /backups --verify --keep 7", [Path, Verify, Keep], null,
            static (parsed, client, token) => client.BackUpAsync(parsed.GetRequiredValue(Path), parsed.GetValue(Verify), parsed.GetValue(Keep), token)),
        Create("compact", "Returns free space of the node's store to its disk. Writes wait until it is done.", "compact", [], null,
            static (_, client, token) => client.CompactAsync(token)),
    ];

    /// <summary>Returns the part of a sentence that names the store.</summary>
    static string InStore(ParseResult parsed) => parsed.GetValue(NodeOptions.Store) is { } name ? $" in the store '{name}'" : "";

    /// <summary>Returns true if a finding is of the store of the command. Those of named stores begin with the name.</summary>
    static bool IsOfStore(ParseResult parsed, Finding finding) => parsed.GetValue(NodeOptions.Store) is { } name
        ? finding.Problem.StartsWith($"Store '{name}':", StringComparison.Ordinal)
        : !finding.Problem.StartsWith("Store '", StringComparison.Ordinal);

    /// <summary>Creates a command. The consequence is what the user has to confirm; a command that loses nothing has none.</summary>
    static ToolCommand Create(
        string name, string description, string example, IEnumerable<Symbol> symbols, Func<ParseResult, AdministrationClient, CancellationToken, Task<string>>? consequence,
        Func<ParseResult, AdministrationClient, CancellationToken, Task<CommandResult>> call) => NodeCommand.Create(
            name, description, example, consequence is null ? symbols : [.. symbols, CommonArguments.Yes], async (parsed, client, output, token) =>
            {
                if (consequence is not null && !parsed.GetValue(CommonArguments.Yes))
                    output.Confirm(isConfirmed: false, await consequence(parsed, client, token).ConfigureAwait(false));
                var result = await call(parsed, client, token).ConfigureAwait(false);
                output.Write(result, AdministrationJson.Default.CommandResult, static result => new Text(result.Message + "\n"));
                return ExitCode.Good;
            });
}
