using System.CommandLine;
using System.Globalization;
using Datacake.Administration;
using Datacake.Administration.Contracts;
using Datacake.Tool.Terminal;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Datacake.Tool.Commands;

/// <summary>The commands that show the state of a node: status, stores, members, keyspaces, indexes and log.</summary>
static class StatusCommands
{
    static readonly Option<bool> Watch = new("--watch", "-w") { Description = "Show the status again each second, until Ctrl+C." };
    static readonly Option<int> Count = new("--count", "-n") { Description = "The maximum number of lines.", DefaultValueFactory = static _ => 100 };
    static readonly Option<LogLevel> Level = new("--level") { Description = "The least urgent level to show.", DefaultValueFactory = static _ => LogLevel.Information };

    public static IEnumerable<Command> All =>
    [
        NodeCommand.Create("status", "Shows a node, its stores, the members of one of them, and the findings of all.", "status --connect 10.0.0.1:7001 --store catalog", [Watch], ShowStatusAsync),
        NodeCommand.Create("stores", "Lists the stores that the node has open, with their members, followers and consumers.", "stores", [], async (_, client, output, token) =>
        {
            var status = await client.GetStatusAsync(listStores: true, token).ConfigureAwait(false);
            output.Write(status.Stores ?? [], ToolJson.Default.IReadOnlyListStoreStatus, stores => RenderStores(stores, status.Time));
            return ExitCode.Good;
        }),
        NodeCommand.Create("members", "Lists the members of the cluster.", "members --json", [], async (_, client, output, token) =>
        {
            var status = await client.GetStatusAsync(token).ConfigureAwait(false);
            output.Write(status.Members, ToolJson.Default.IReadOnlyListMemberStatus, Render);
            return ExitCode.Good;
        }),
        NodeCommand.Create("keyspaces", "Lists the keyspaces with their number of documents and fingerprints.", "keyspaces", [], async (_, client, output, token) =>
        {
            output.Write(await client.ListKeyspacesAsync(token).ConfigureAwait(false), AdministrationJson.Default.IReadOnlyListKeyspaceStatus, Render);
            return ExitCode.Good;
        }),
        NodeCommand.Create("indexes", "Lists the indexes and the progress of those that are being built.", "indexes", [], async (_, client, output, token) =>
        {
            var keyspaces = await client.ListKeyspacesAsync(token).ConfigureAwait(false);
            IReadOnlyList<IndexRow> rows = [.. keyspaces.SelectMany(static keyspace => keyspace.Indexes.Select(index =>
                new IndexRow(keyspace.Name, index.Name, index.IsBuilt, index.Documents, keyspace.Documents)))];
            output.Write(rows, ToolJson.Default.IReadOnlyListIndexRow, Render);
            return ExitCode.Good;
        }),
        NodeCommand.Create("log", "Shows the newest log lines of the node.", "log --level Warning --count 20", [Count, Level], async (parsed, client, output, token) =>
        {
            var lines = await client.ReadLogAsync(parsed.GetValue(Count), ToLevel(parsed.GetValue(Level)), token).ConfigureAwait(false);
            output.Write(lines, AdministrationJson.Default.IReadOnlyListLogLine, Render);
            return ExitCode.Good;
        }),
    ];

    static async Task<ExitCode> ShowStatusAsync(ParseResult parsed, AdministrationClient client, Output output, CancellationToken cancellationToken)
    {
        if (!parsed.GetValue(Watch))
        {
            var status = await client.GetStatusAsync(listStores: true, cancellationToken).ConfigureAwait(false);
            output.Write(status, AdministrationJson.Default.NodeStatus, Render);
            return status.Findings.Any(static finding => finding.Severity > FindingSeverity.Information || IsPassing(finding)) ? ExitCode.Findings : ExitCode.Good;
        }
        if (output.IsJson || Console.IsOutputRedirected)
        {
            while (true)
            {
                output.Write(await client.GetStatusAsync(listStores: true, cancellationToken).ConfigureAwait(false), AdministrationJson.Default.NodeStatus, Render);
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken).ConfigureAwait(false);
            }
        }
        var first = await client.GetStatusAsync(listStores: true, cancellationToken).ConfigureAwait(false);
        await output.Screen.Live(Render(first)).StartAsync(async live =>
        {
            while (true)
            {
                await Task.Delay(TimeSpan.FromSeconds(1), cancellationToken).ConfigureAwait(false);
                try
                {
                    live.UpdateTarget(Render(await client.GetStatusAsync(listStores: true, cancellationToken).ConfigureAwait(false)));
                }
                catch (AdministrationException e)
                {
                    // The node may be restarting. The next call connects again.
                    live.UpdateTarget(new Text(Output.Clean(e.Message)));
                }
            }
        }).ConfigureAwait(false);
        return ExitCode.Good;
    }

    /// <summary>True if a script that waits for a node should wait on, although nothing is wrong: data are still on their way.</summary>
    static bool IsPassing(Finding finding) => finding.Code is "catching-up" or "member-joining";

    static Rows Render(NodeStatus status)
    {
        var summary = Output.Table(status.Store.Length > 0 ? $"Store '{status.Store}' of node" : "Node", "Address", "Cluster", "Version", "Up", "Storage", "Keyspaces", "Documents", "Joined");
        string size = status.StorageBytes is { } bytes ? $"{status.Storage}, {Output.Format(bytes)} bytes" : status.Storage;
        Output.AddRow(summary, $"{status.NodeId}", status.Address, status.ClusterId, status.Version, TimeSpan.FromSeconds(Math.Floor(status.UptimeSeconds)).ToString("c", CultureInfo.InvariantCulture),
            size, Output.Format(status.Keyspaces), Output.Format(status.Documents), status.HasJoined ? "yes" : $"{Output.Format(status.ReceivedDocuments)} of about {Output.Format(status.ExpectedDocuments)}");
        IEnumerable<IRenderable> stores = status.Stores is { Count: > 1 } || status.Stores?.Any(HasMore) == true ? [RenderStores(status.Stores, status.Time)] : [];
        return new Rows([summary, Render(WithoutRepeatedReasons(status)), .. stores, .. status.Serial is { VoterCount: > 0 } serial ? [Render(serial)] : (IEnumerable<IRenderable>)[], .. status.Backups is { } backups ? [Render(backups, status.Time)] : (IEnumerable<IRenderable>)[], .. status.Findings.Count == 0 ? [new Text("All is well.")] : status.Findings.Select(Render)]);
    }

    /// <summary>True if there is something to say of a store that the rest of the status does not say.</summary>
    static bool HasMore(StoreStatus store) => store.Failure is not null || store.Follows is not null || store.FollowerCount > 0 || store.Consumers.Count > 0;

    static Rows RenderStores(IReadOnlyList<StoreStatus> stores, DateTimeOffset now)
    {
        var table = Output.Table("Store", "Joined", "Members", "Keyspaces", "Documents", "Storage", "Follows", "Behind", "Followers", "Last backup");
        foreach (var store in stores)
        {
            Output.AddRow(table, NameOf(store), store.HasJoined ? "yes" : "no", string.Join(", ", store.Members), Output.Format(store.Keyspaces), Output.Format(store.Documents),
                store.StorageBytes is { } bytes ? $"{store.Storage}, {Output.Format(bytes)} bytes" : store.Storage, SourceOf(store.Follows), Output.Format(store.Follows?.BehindSeconds, unit: " s"),
                store.FollowerCount == 0 ? "" : $"{store.FollowerCount}: {string.Join(", ", store.Followers)}{(store.FollowerCount > store.Followers.Count ? ", …" : "")}",
                store.Backups is not { } backups ? "" : backups.LastAt is { } at ? $"{Output.Format((now - at).TotalHours, unit: " h")} ago" : "none");
        }
        var consumers = Output.Table("Store", "Consumer", "Processed up to", "Loading");
        foreach (var (store, consumer) in stores.SelectMany(static store => store.Consumers.Select(consumer => (store, consumer))))
            Output.AddRow(consumers, NameOf(store), consumer.Name, consumer.ProcessedUpTo.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture), consumer.IsLoading ? "yes" : "no");
        var failures = stores.Where(static store => store.Failure is not null).Select(static store => new Text(Output.Clean($"Store {NameOf(store)} cannot be read: {store.Failure}"), new Style(Color.Red)));
        return new Rows([table, .. consumers.Rows.Count > 0 ? [consumers] : (IEnumerable<IRenderable>)[], .. failures]);

        static string NameOf(StoreStatus store) => store.Name.Length > 0 ? store.Name : "(own)";

        static string SourceOf(FollowingStatus? follows) => follows switch
        {
            null => "",
            { IsConnected: true } => $"node {follows.NodeId} at {follows.Address}",
            _ => $"no member since {follows.Since.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture)}",
        };
    }

    /// <summary>Returns the members without the reasons that the findings give, so that a long reason is shown once.</summary>
    static IReadOnlyList<MemberStatus> WithoutRepeatedReasons(NodeStatus status) => [.. status.Members.Select(member =>
        member.Reason?.Split("; ")[0] is { } reason && status.Findings.Any(finding => finding.Problem.Contains(reason, StringComparison.Ordinal)) ? member with { Reason = null } : member)];

    static Table Render(SerialTransactionStatus serial)
    {
        var table = Output.Table("Serial transactions", "Voters", "Sequencer", "Epoch", "Waiting", "Decided", "Conflicts");
        string voters = string.Join(", ", serial.Voters);
        Output.AddRow(table, $"{(serial.VoterCount / 2) + 1} of {serial.VoterCount} voters decide", voters, serial.Sequencer is { } node ? $"node {node}" : "none", Output.Format(serial.Epoch), Output.Format(serial.Waiting),
            Output.Format(serial.Decided), serial.Conflicts is { Count: > 0 } conflicts ? string.Join(", ", conflicts.OrderByDescending(static keyspace => keyspace.Value).Select(static keyspace => $"{keyspace.Key}: {Output.Format(keyspace.Value)}")) : "none");
        return table;
    }

    static Table Render(BackupStatus backups, DateTimeOffset now)
    {
        var table = Output.Table("Last backup", "Age", "Bytes", "Next", "File");
        Output.AddRow(table, TimeOf(backups.LastAt), Output.Format((now - backups.LastAt)?.TotalHours, unit: " h"), backups.LastBytes is { } bytes ? Output.Format(bytes) : "",
            TimeOf(backups.NextAt), backups.LastFile ?? $"none in {backups.Folder}");
        return table;

        static string TimeOf(DateTimeOffset? time) => time?.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "";
    }

    static Text Render(Finding finding) => new(
        Output.Clean($"{finding.Severity}: {finding.Problem} {finding.Remedy}"),
        new Style(finding.Severity switch
        {
            FindingSeverity.Error => Color.Red,
            FindingSeverity.Warning => Color.Yellow,
            _ => Color.Default,
        }));

    static Table Render(IReadOnlyList<MemberStatus> members)
    {
        var table = Output.Table("Member", "Address", "Data center", "Connection", "Joined", "Behind", "Suspicion", "Clock", "Version", "Reason");
        foreach (var member in members)
        {
            Output.AddRow(table, $"{member.NodeId}", member.Address, member.DataCenter, member.Connection, member.HasJoined ? "yes" : "no", Output.Format(member.BehindSeconds, unit: " s"),
                Output.Format(member.Suspicion), Output.Format(member.ClockOffsetSeconds, "+0.000;-0.000;0.000", " s"), member.Version, member.Reason);
        }
        return table;
    }

    static Table Render(IReadOnlyList<KeyspaceStatus> keyspaces)
    {
        var table = Output.Table("Keyspace", "Documents", "Indexes", "Fingerprint");
        foreach (var keyspace in keyspaces)
            Output.AddRow(table, keyspace.Name, Output.Format(keyspace.Documents), $"{keyspace.Indexes.Count}", keyspace.Fingerprint);
        return table;
    }

    static Table Render(IReadOnlyList<IndexRow> indexes)
    {
        var table = Output.Table("Keyspace", "Index", "State");
        foreach (var index in indexes)
            Output.AddRow(table, index.Keyspace, index.Name, index.IsBuilt ? "built" : $"building, {Output.Format(index.AddedDocuments)} of about {Output.Format(index.Documents)}");
        return table;
    }

    static IRenderable Render(IReadOnlyList<LogLine> lines) => new Rows(lines.Select(static line => new Text(Output.Clean(
        string.Create(CultureInfo.InvariantCulture, $"{line.Time:u} {line.Level} {line.EventId} {line.Category}: {line.Message}") + (line.Exception is null ? "" : $"\n{line.Exception}")))));

    static Microsoft.Extensions.Logging.LogLevel ToLevel(LogLevel level) => (Microsoft.Extensions.Logging.LogLevel)level;

    /// <summary>The levels of log lines, with the numbers of the logging library.</summary>
    enum LogLevel
    {
        Information = 2,
        Warning = 3,
        Error = 4,
        Critical = 5,
    }
}
