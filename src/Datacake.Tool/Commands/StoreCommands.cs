using System.CommandLine;
using System.Globalization;
using Datacake.Administration;
using Datacake.Administration.Backups;
using Datacake.Administration.Contracts;
using Datacake.Administration.Inspection;
using Datacake.Lmdb;
using Datacake.Sqlite;
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
                var backup = StoreFileKinds.Of(path) == StoreFileKind.Sqlite
                    ? await SqliteStorage.OpenBackupAsync(path, token).ConfigureAwait(false)
                    : await LmdbStorage.OpenBackupAsync(path, token).ConfigureAwait(false);
                await using var disposal = backup.ConfigureAwait(false);
                output.Write(await BackupVerifier.VerifyAsync(path, backup, original: null, token).ConfigureAwait(false), AdministrationJson.Default.BackupVerification, Render);
                return ExitCode.Good;
            }),
        new ToolCommand("restore", "Checks a backup, and makes a store of it.", "restore /backups/shop-monday.db /data/shop.db", Backup, Path)
            .Runs(async (parsed, output, token) =>
            {
                string backup = parsed.GetRequiredValue(Backup), path = parsed.GetRequiredValue(Path);
                if (StoreFileKinds.Of(backup) == StoreFileKind.Sqlite)
                    await SqliteStorage.RestoreAsync(backup, path, token).ConfigureAwait(false);
                else
                    await LmdbStorage.RestoreAsync(backup, path, token).ConfigureAwait(false);
                output.Write(new CommandResult($"The store {path} was made from {backup}. Start its node."), AdministrationJson.Default.CommandResult, static result => new Text(result.Message + "\n"));
                return ExitCode.Good;
            }),
    ];

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
