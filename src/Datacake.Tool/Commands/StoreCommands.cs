using System.CommandLine;
using System.Globalization;
using Datacake.Administration;
using Datacake.Administration.Backups;
using Datacake.Administration.Contracts;
using Datacake.Administration.Inspection;
using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;
using Datacake.Tool.Connections;
using Datacake.Tool.Stores;
using Datacake.Tool.Terminal;
using Spectre.Console;

namespace Datacake.Tool.Commands;

/// <summary>The commands that work on store files, without a node: inspect, verify-backup and restore.</summary>
static class StoreCommands
{
    static readonly Argument<string> File = new("FILE") { Description = "The file of a store that no node has open, or of a backup." };
    static readonly Option<string?> TemporaryFolder = new("--temp") { HelpName = "FOLDER", Description = "The folder for a copy of the file. Default: that of the system." };
    static readonly Argument<string> Backup = new("BACKUP") { Description = "The file of a backup." };
    static readonly Argument<string> Path = new("PATH") { Description = "The path of the new store, at which nothing exists yet." };

    static readonly Option<byte?> Node = new("--node") { HelpName = "ID", Description = "The id of the node whose store is made. It must be that of the backup." };
    static readonly Option<bool> Unchecked = new("--unchecked")
    {
        Description = "Do not ask a node whether the store of the backup was replaced or retired since. For a cluster of which no node runs.",
    };

    public static IEnumerable<Command> All =>
    [
        new ToolCommand("inspect", "Shows the identity, keyspaces and last transactions of a store file. The file is copied, and never changed.", "inspect /data/shop.db", File, TemporaryFolder)
            .Runs(async (parsed, output, token) =>
            {
                var copy = StoreCopy.Open(parsed.GetRequiredValue(File), parsed.GetValue(TemporaryFolder));
                await using var disposal = copy.ConfigureAwait(false);
                output.Write(await StoreInspection.ReadAsync(copy.Storage, token).ConfigureAwait(false), AdministrationJson.Default.StoreSummary, Render);
                return ExitCode.Good;
            }),
        new ToolCommand("verify-backup", "Reads a whole backup: its structure, all checksums, its identity, and the number of documents. The file is not changed.", "verify-backup /backups/shop-monday.db", Backup)
            .Runs(async (parsed, output, token) =>
            {
                string path = System.IO.Path.GetFullPath(parsed.GetRequiredValue(Backup));
                var backup = await OpenBackupAsync(path, token).ConfigureAwait(false);
                await using var disposal = backup.ConfigureAwait(false);
                output.Write(await BackupVerifier.VerifyAsync(path, backup, original: null, token).ConfigureAwait(false), AdministrationJson.Default.BackupVerification, Render);
                return ExitCode.Good;
            }),
        new ToolCommand("restore", "Checks a backup, also with a node of its cluster, and makes a store of it.", "restore /backups/shop-monday.db /data/shop.db --node 3 --connect shop1:7001",
            [Backup, Path, Node, Unchecked, .. NodeOptions.All])
            .Runs(async (parsed, output, token) =>
            {
                string backup = System.IO.Path.GetFullPath(parsed.GetRequiredValue(Backup)), path = System.IO.Path.GetFullPath(parsed.GetRequiredValue(Path));
                await CheckOriginAsync(backup, parsed, token).ConfigureAwait(false);
                if (StoreFileKinds.Of(backup) == StoreFileKind.Sqlite)
                    await SqliteStorage.RestoreAsync(backup, path, token).ConfigureAwait(false);
                else
                    await LmdbStorage.RestoreAsync(backup, path, token).ConfigureAwait(false);
                output.Write(new CommandResult($"The store {path} was made from {backup}. Start its node."), AdministrationJson.Default.CommandResult, static result => new Text(result.Message + "\n"));
                return ExitCode.Good;
            }),
    ];

    static ValueTask<IStorage> OpenBackupAsync(string path, CancellationToken cancellationToken) =>
        StoreFileKinds.Of(path) == StoreFileKind.Sqlite ? SqliteStorage.OpenBackupAsync(path, cancellationToken) : LmdbStorage.OpenBackupAsync(path, cancellationToken);

    /// <summary>Checks that a backup is of the node for which it is restored, and that the store in it is still that of the node.</summary>
    /// <exception cref="ToolException">It is not, or that is not known.</exception>
    static async Task CheckOriginAsync(string path, ParseResult parsed, CancellationToken cancellationToken)
    {
        StoreSummary store;
        var backup = await OpenBackupAsync(path, cancellationToken).ConfigureAwait(false);
        await using (backup.ConfigureAwait(false))
            store = await StoreInspection.ReadAsync(backup, cancellationToken).ConfigureAwait(false);
        if (store.NodeId is not { } origin)
            throw new ToolException(ExitCode.Refused, $"The backup {path} has a store that had not joined its cluster. Start the node with an empty store instead.");
        if (parsed.GetValue(Node) is not { } node)
            throw new ToolException(ExitCode.Usage, $"The backup {path} is of node {origin}, and only that node can use it. If the store is made for node {origin}, pass --node {origin}.");
        if (node != origin)
        {
            throw new ToolException(
                ExitCode.Refused, $"The backup {path} is of node {origin}, and the store is made for node {node}, which cannot use it. Choose a backup of node {node}, or start node {node} with an empty "
                    + "store, which copies everything from the other nodes.");
        }
        if (parsed.GetValue(Unchecked))
            return;
        if (NodeOptions.FindAddress(parsed) is null)
        {
            throw new ToolException(
                ExitCode.Usage, $"The store of node {node} may have been replaced or retired since the backup, and the nodes would then refuse it. Pass --connect HOST:PORT with a node that runs, which knows, or "
                    + "--unchecked if none runs.");
        }
        var connection = NodeOptions.Open(parsed);
        await using var disposal = connection.ConfigureAwait(false);
        var check = await connection.Client.CheckBackupAsync(node, store.StoreId, store.ClusterId, cancellationToken).ConfigureAwait(false);
        if (check.Problem is { } problem)
            throw new ToolException(ExitCode.Refused, $"{problem} {check.Remedy}");
    }

    static Rows Render(BackupVerification backup)
    {
        var table = Output.Table("Node", "Store", "Cluster", "Format", "Records", "Documents", "Bytes", "Last write");
        string lastWrite = backup.LastWrite is { } time ? time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) : "";
        Output.AddRow(table, $"{backup.NodeId}", backup.StoreId, backup.ClusterId, $"{backup.Format}", Output.Format(backup.Records), Output.Format(backup.Documents), Output.Format(backup.Bytes), lastWrite);
        return new Rows(table, new Text(Output.Clean($"The backup {backup.File} is good.")));
    }

    static Rows Render(StoreSummary store)
    {
        var identity = Output.Table("Node", "Store", "Cluster", "Joined", "Format", "Members");
        Output.AddRow(identity, $"{store.NodeId}", store.StoreId, store.ClusterId, store.HasJoined ? "yes" : "no", $"{store.Format}", string.Join(", ", store.Members));
        var keyspaces = Output.Table("Keyspace", "Documents", "Fingerprint");
        foreach (var keyspace in store.Keyspaces)
            Output.AddRow(keyspaces, keyspace.Name, Output.Format(keyspace.Documents), keyspace.Fingerprint);
        var stamps = Output.Table("Last of node", "Time", "Stamp");
        foreach (var last in store.LastStamps)
            Output.AddRow(stamps, $"{last.NodeId}", last.Time.ToString("yyyy-MM-dd HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture), last.Stamp);
        return new Rows(identity, keyspaces, stamps);
    }
}
