using Datacake.Administration;
using Datacake.Lmdb;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Tests;

/// <summary>The commands of the tool against nodes on loopback.</summary>
public class CommandTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Status_members_keyspaces_and_indexes_are_shown_as_tables_and_as_JSON()
    {
        await using var fixture = await ToolFixture.StartAsync(2);
        await fixture.PutAsync("Cakes", "1", """{"Name":"Madeira"}""");
        // On a busy machine, the nodes catch up with each other for a moment.
        await Eventually.WaitUntilAsync(async () => (await fixture.Cluster.ClientOf(1).GetStatusAsync(Canceled)).Findings.Count == 0, "all is well");

        var table = await fixture.RunAsync("status");
        var status = (await fixture.RunGoodAsync("status")).Json;
        var members = (await fixture.RunGoodAsync("members")).Json;
        var keyspaces = (await fixture.RunGoodAsync("keyspaces")).Json;
        var indexes = (await fixture.RunGoodAsync("indexes")).Json;

        Assert.Contains("All is well.", table.Values, StringComparison.Ordinal);
        Assert.Contains(fixture.Cluster[2].Address, table.Values, StringComparison.Ordinal);
        Assert.Equal(1, status.GetProperty("nodeId").GetInt32());
        Assert.Equal(["Local", "InSession"], members.EnumerateArray().Select(static member => member.GetProperty("connection").GetString()));
        Assert.Equal(("Cakes", 1L), (keyspaces[0].GetProperty("name").GetString(), keyspaces[0].GetProperty("documents").GetInt64()));
        Assert.Equal(0, indexes.GetArrayLength());
    }

    [Fact]
    public async Task Status_of_a_node_with_findings_has_an_exit_code_of_its_own()
    {
        await using var fixture = await ToolFixture.StartAsync(3);
        await fixture.Cluster[3].StopAbruptlyAsync();
        await Eventually.WaitUntilAsync(async () => (await fixture.Cluster.ClientOf(1).GetStatusAsync(Canceled)).Findings.Any(static finding => finding.Code == "member-down"), "node 3 is down");

        var status = await fixture.RunAsync("status");

        Assert.Equal(ExitCode.Findings, status.ExitCode);
        Assert.Contains("Down: node 3", status.Values, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_says_a_reason_once_and_shows_a_retired_node_as_such()
    {
        await using var fixture = await ToolFixture.StartAsync(3);
        const string Reason = "the store of node 3 was retired or replaced by another store";
        await fixture.RunGoodAsync("retire", "3", "--yes", "--running");
        ToolRun? refused = null;
        await Eventually.WaitUntilAsync(async () => (refused = await fixture.RunAsync("status")).Values.Contains(Reason, StringComparison.Ordinal), "node 3 is refused");
        var members = await fixture.RunAsync("members");
        await fixture.Cluster.StopAsync(3);
        await Eventually.WaitUntilAsync(async () => (await fixture.Cluster.ClientOf(1).GetStatusAsync(Canceled)).Findings.Count == 0, "node 3 is missed no longer");

        var status = await fixture.RunAsync("status");

        Assert.Equal(2, refused!.Values.Split(Reason).Length);
        Assert.Contains(Reason, members.Values, StringComparison.Ordinal);
        Assert.Contains("Retired", status.Values, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Good, status.ExitCode);
    }

    [Fact]
    public async Task Status_shows_the_serial_transactions_with_their_conflicts_by_keyspace()
    {
        await using var fixture = await ToolFixture.StartAsync();
        await VoucherContext.ConflictAsync(fixture.Cluster[1], Canceled);

        var table = await fixture.RunAsync("status");
        var serial = (await fixture.RunGoodAsync("status")).Json.GetProperty("serial");

        Assert.Contains("1 of 1 voters decide", table.Values, StringComparison.Ordinal);
        Assert.Contains("Vouchers: 1", table.Values, StringComparison.Ordinal);
        Assert.Equal((1, 2, 1), (serial.GetProperty("sequencer").GetInt32(), serial.GetProperty("decided").GetInt32(), serial.GetProperty("conflicts").GetProperty("Vouchers").GetInt32()));
    }

    [Fact]
    public async Task Document_is_put_shown_with_its_writer_and_deleted()
    {
        await using var fixture = await ToolFixture.StartAsync();

        await fixture.RunGoodAsync("put", "Cakes", "madeira", """{"Name":"Madeira","Price":{"$decimal":"12.50"}}""");
        var plain = (await fixture.RunGoodAsync("get", "Cakes", "madeira")).Json;
        var exact = (await fixture.RunGoodAsync("get", "Cakes", "\"madeira\"", "--exact")).Json;
        var writers = (await fixture.RunGoodAsync("get", "Cakes", "madeira", "--writers")).Json;
        await fixture.RunGoodAsync("delete", "Cakes", "madeira");
        var gone = await fixture.RunAsync("get", "Cakes", "madeira");

        Assert.Equal("12.50", plain.GetProperty("document").GetProperty("Price").GetRawText());
        Assert.Equal("""{"$decimal":"12.50"}""", exact.GetProperty("document").GetProperty("Price").GetRawText());
        Assert.All(writers.GetProperty("cells").EnumerateArray(), static cell => Assert.Equal(1, cell.GetProperty("nodeId").GetInt32()));
        Assert.Equal(ExitCode.Findings, gone.ExitCode);
        Assert.Contains("has no document with the key \"madeira\"", gone.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Query_returns_documents_that_satisfy_a_condition_in_parts()
    {
        await using var fixture = await ToolFixture.StartAsync();
        for (int i = 0; i < 10; i++)
            await fixture.PutAsync("Cakes", $"{i}", $$$"""{"Name":"Cake {{{i}}}","Price":{"$decimal":"{{{i}}}.5"}}""");

        var first = await fixture.RunGoodAsync("query", "Cakes", "--where", "Price > 4 and Name != 'Cake 6'", "--take", "2");
        var rest = await fixture.RunGoodAsync("query", "Cakes", "--where", "Price > 4 and Name != 'Cake 6'", "--after", "5");

        Assert.Equal(["4", "5"], first.JsonLines.Select(static row => row.GetProperty("key").GetRawText()));
        Assert.Contains("--after '5'", first.Messages, StringComparison.Ordinal);
        Assert.Equal(["7", "8", "9"], rest.JsonLines.Select(static row => row.GetProperty("key").GetRawText()));
        Assert.DoesNotContain("--after", rest.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_shown_until_the_given_number()
    {
        await using var fixture = await ToolFixture.StartAsync();
        var watch = fixture.RunGoodAsync("watch", "Cakes", "--take", "2");
        // The watch begins when the tool has connected. Each put is another change until it has seen two.
        for (int i = 0; !watch.IsCompleted; i++)
            await fixture.PutAsync("Cakes", $"{i}", """{"Name":"Madeira"}""");

        var changes = (await watch).JsonLines;

        Assert.Equal(2, changes.Length);
        Assert.All(changes, static change => Assert.Equal("Madeira", change.GetProperty("document").GetProperty("Name").GetString()));
    }

    [Fact]
    public async Task Log_shows_what_operators_have_done()
    {
        using var log = new ProviderLog();
        using var reserved = new ReservedAddresses();
        string address = reserved.Next();
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn(address).WithSeeds(address).UseMemory().WithLoggerFactory(log)
            .WithAdministration(static administration => administration.OperatorSecret = Fixture.Secret), Canceled);
        await node.OpenAdministrationAsync(Canceled);
        await using var fixture = await ToolFixture.StartAsync();
        await fixture.RunGoodAsync("put", "Cakes", "1", "{}", "--operator", "Grace", "--connect", address);

        var lines = (await fixture.RunGoodAsync("log", "--count", "5", "--connect", address)).Json;

        Assert.Contains(lines.EnumerateArray(), static line => line.GetProperty("message").GetString()!.Contains("Operator Grace", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Command_that_loses_something_needs_a_confirmation()
    {
        await using var fixture = await ToolFixture.StartAsync(3);
        await fixture.PutAsync("Cakes", "1", "{}");
        await fixture.Cluster.StopAsync(3);

        var refused = await fixture.RunAsync("drop-keyspace", "Cakes");
        var dropped = await fixture.RunGoodAsync("drop-keyspace", "Cakes", "--yes");
        var retired = await fixture.RunGoodAsync("retire", "3", "--yes");
        var allowed = await fixture.RunGoodAsync("allow-removal", "--yes");
        var forgotten = await fixture.RunAsync("forget", "9", "--yes");

        Assert.Equal(ExitCode.Refused, refused.ExitCode);
        Assert.Contains("1 documents", refused.Messages, StringComparison.Ordinal);
        Assert.Contains("--yes", refused.Messages, StringComparison.Ordinal);
        Assert.Equal(1, dropped.Json.GetProperty("count").GetInt64());
        Assert.Contains("Node 3 was retired", retired.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Contains("No removal", allowed.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, forgotten.ExitCode);
    }

    [Fact]
    public async Task Running_node_is_retired_only_with_an_option()
    {
        await using var fixture = await ToolFixture.StartAsync(3);

        var unconfirmed = await fixture.RunAsync("retire", "3");
        var running = await fixture.RunAsync("retire", "3", "--yes");
        var itself = await fixture.RunAsync("retire", "1", "--yes");
        var unknown = await fixture.RunAsync("retire", "9", "--yes");
        var meant = await fixture.RunGoodAsync("retire", "3", "--yes", "--running");

        Assert.Contains(fixture.Cluster[3].Address, unconfirmed.Messages, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Failed, running.ExitCode);
        Assert.Contains("it is running", running.Messages, StringComparison.Ordinal);
        Assert.Contains("--running", running.Messages, StringComparison.Ordinal);
        Assert.Contains("Retire it at another node.", itself.Messages, StringComparison.Ordinal);
        Assert.All([itself, unknown], static run => Assert.DoesNotContain("Parameter", run.Messages, StringComparison.Ordinal));
        Assert.Contains("Node 3 was retired", meant.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Store_is_backed_up_compacted_inspected_and_restored()
    {
        await using var fixture = await ToolFixture.StartAsync(1, static (folder, options) => options.UseSqlite(Path.Combine(folder, "cakes.db")));
        await fixture.PutAsync("Cakes", "1", """{"Name":"Madeira"}""");
        string backup = fixture.PathOf("backup.db"), restored = fixture.PathOf("restored.db");

        await fixture.RunGoodAsync("backup", backup);
        await fixture.RunGoodAsync("compact");
        byte[] before = File.ReadAllBytes(backup);
        var inspected = (await fixture.RunGoodAsync("inspect", backup)).Json;
        var inUse = await fixture.RunAsync("inspect", fixture.PathOf("cakes.db"));
        await fixture.RunGoodAsync("restore", backup, restored, "--node", "1");
        var again = await fixture.RunAsync("restore", backup, restored, "--node", "1");

        Assert.Equal(1, inspected.GetProperty("nodeId").GetInt32());
        Assert.Equal("Cakes", inspected.GetProperty("keyspaces")[0].GetProperty("name").GetString());
        Assert.Equal(1, inspected.GetProperty("keyspaces")[0].GetProperty("documents").GetInt64());
        Assert.Equal(1, inspected.GetProperty("lastStamps")[0].GetProperty("nodeId").GetInt32());
        Assert.Equal(before, File.ReadAllBytes(backup));
        Assert.Equal(ExitCode.Refused, inUse.ExitCode);
        Assert.Contains("is in use", inUse.Messages, StringComparison.Ordinal);
        Assert.True(File.Exists(restored));
        Assert.Equal(ExitCode.Failed, again.ExitCode);
        Assert.Equal(2, again.Messages.Split(restored).Length);
    }

    [Fact]
    public async Task Backup_of_another_node_or_of_a_store_that_was_replaced_is_not_restored()
    {
        await using var fixture = await ToolFixture.StartAsync(2, static (folder, options) => options.UseSqlite(Path.Combine(folder, $"{Guid.NewGuid():n}.db")));
        string backup = fixture.PathOf("backup.db"), restored = fixture.PathOf("restored.db");
        string[] restore = ["restore", backup, restored, "--node", "2"];
        string other = fixture.Cluster[2].Address;
        var saved = await fixture.RunGoodAsync("backup", backup, "--connect", other);

        var unnamed = await fixture.RunAsync("restore", backup, restored);
        var wrong = await fixture.RunAsync("restore", backup, restored, "--node", "1");
        var alone = await ToolRun.RunAsync(restore);
        await fixture.RunGoodAsync(restore);
        File.Delete(restored);
        await fixture.Cluster.StopAsync(2);
        await fixture.RunGoodAsync("retire", "2", "--yes");
        var retired = await fixture.RunAsync(restore);
        await using var stranger = await ToolFixture.StartAsync();
        var foreign = await stranger.RunAsync(restore);
        bool exists = File.Exists(restored);
        var unasked = await ToolRun.RunAsync([.. restore, "--unchecked"]);

        Assert.Contains($"was copied to {backup} on {Environment.MachineName}", saved.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.Equal((ExitCode.Usage, ExitCode.Refused, ExitCode.Usage), (unnamed.ExitCode, wrong.ExitCode, alone.ExitCode));
        Assert.Contains("pass --node 2", unnamed.Messages, StringComparison.Ordinal);
        Assert.Contains("is of node 2, and the store is made for node 1", wrong.Messages, StringComparison.Ordinal);
        Assert.Contains("--unchecked if none runs", alone.Messages, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Refused, ExitCode.Refused, false), (retired.ExitCode, foreign.ExitCode, exists));
        Assert.Contains("was retired, or replaced by another store of node 2", retired.Messages, StringComparison.Ordinal);
        Assert.Contains("is of another cluster", foreign.Messages, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Good, unasked.ExitCode);
        Assert.True(File.Exists(restored));
    }

    [Fact]
    public async Task Relative_path_of_a_backup_is_shown_in_full_with_the_machine()
    {
        await using var fixture = await ToolFixture.StartAsync(1, static (folder, options) => options.UseSqlite(Path.Combine(folder, "cakes.db")));
        string name = $"{Guid.NewGuid():n}.backup", full = Path.GetFullPath(name);

        var saved = await fixture.RunGoodAsync("backup", name);

        Assert.Contains($"was copied to {full} on {Environment.MachineName}", saved.Json.GetProperty("message").GetString(), StringComparison.Ordinal);
        File.Delete(full);
    }

    [Fact]
    public async Task Wrong_cluster_secret_names_its_file_and_the_side_to_correct()
    {
        await using var fixture = await ToolFixture.StartAsync(1, static (_, options) => options.UseMemory().WithClusterSecret("the secret of the cluster"));
        string file = fixture.PathOf("secret");
        File.WriteAllText(file, "another secret of a cluster");

        var wrong = await fixture.RunAsync("status", "--secret-file", file);
        var none = await fixture.RunAsync("status");

        Assert.Equal((ExitCode.Refused, ExitCode.Refused), (wrong.ExitCode, none.ExitCode));
        Assert.Contains("Correct the side whose ClusterSecret differs from that of the other nodes.", wrong.Messages, StringComparison.Ordinal);
        Assert.Contains($"The tool has read the cluster secret from {file}.", wrong.Messages, StringComparison.Ordinal);
        Assert.Contains("The tool was given no cluster secret. Pass --secret-file", none.Messages, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("sqlite")]
    [InlineData("lmdb")]
    public async Task Backups_are_verified_and_the_newest_ones_are_kept(string kind)
    {
        await using var fixture = await ToolFixture.StartAsync(1, (folder, options) =>
        {
            if (kind == "sqlite")
                options.UseSqlite(Path.Combine(folder, "cakes.db"));
            else
                options.UseLmdb(Path.Combine(folder, "cakes.mdb"));
        });
        await fixture.PutAsync("Cakes", "1", """{"Name":"Madeira"}""");
        string folder = Directory.CreateDirectory(fixture.PathOf("backups")).FullName;

        for (int i = 0; i < 3; i++)
            await fixture.RunGoodAsync("backup", folder, "--verify", "--keep", "2");
        string[] files = Directory.GetFiles(folder);
        string text = (await ToolRun.RunAsync("verify-backup", files[0])).Values;
        var verified = (await ToolRun.RunAsync("verify-backup", files[0], "--json")).Json;
        byte[] bytes = File.ReadAllBytes(files[1]);
        bytes.AsSpan(bytes.Length / 2).Clear();
        File.WriteAllBytes(files[1], bytes);
        var damaged = await ToolRun.RunAsync("verify-backup", files[1]);
        var missing = await ToolRun.RunAsync("verify-backup", fixture.PathOf("none"));

        Assert.Equal(2, files.Length);
        Assert.Contains("is good.", text, StringComparison.Ordinal);
        Assert.Equal((1, 1L, files[0]), (verified.GetProperty("nodeId").GetInt32(), verified.GetProperty("documents").GetInt64(), verified.GetProperty("file").GetString()));
        Assert.True(verified.GetProperty("records").GetInt64() > 3);
        Assert.Equal(ExitCode.Failed, damaged.ExitCode);
        Assert.Contains("is damaged", damaged.Messages, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, missing.ExitCode);
        Assert.Equal(2, Directory.GetFileSystemEntries(folder).Length);
    }

    [Fact]
    public async Task Status_shows_the_last_backup()
    {
        await using var fixture = await ToolFixture.StartAsync(1, static (folder, options) => options.UseSqlite(Path.Combine(folder, "cakes.db")).WithBackups(backups =>
        {
            backups.Folder = Directory.CreateDirectory(Path.Combine(folder, "backups")).FullName;
            backups.Interval = TimeSpan.FromHours(1);
        }));
        await Eventually.WaitUntilAsync(async () => (await fixture.Cluster.ClientOf(1).GetStatusAsync(Canceled)).Backups?.LastAt is not null, "a backup is made");

        var table = await fixture.RunAsync("status");
        var status = (await fixture.RunGoodAsync("status")).Json.GetProperty("backups");

        Assert.Contains("Last backup", table.Values, StringComparison.Ordinal);
        Assert.Contains("0.0 h", table.Values, StringComparison.Ordinal);
        Assert.Contains(Path.GetFileName(status.GetProperty("lastFile").GetString()!), table.Values, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_names_what_is_wrong_with_the_remedy()
    {
        await using var fixture = await ToolFixture.StartAsync();

        var good = await fixture.RunGoodAsync("doctor");
        var name = await ToolRun.RunAsync("doctor", "--connect", "no-such-host.invalid:7001", "--json");
        var secretFile = fixture.PathOf("secret");
        File.WriteAllText(secretFile, "another secret of a cluster");
        var secret = await fixture.RunAsync("doctor", "--secret-file", secretFile, "--json");

        Assert.Equal(["name", "port", "connection", "clock", "operator"], good.JsonLines.Take(5).Select(static check => check.GetProperty("name").GetString()));
        Assert.Equal(ExitCode.CannotConnect, name.ExitCode);
        Assert.False(name.JsonLines.Single().GetProperty("isGood").GetBoolean());
        Assert.Equal(ExitCode.Refused, secret.ExitCode);
        Assert.Contains("--secret-file", secret.JsonLines[^1].GetProperty("remedy").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_have_exit_codes_and_say_what_to_do()
    {
        await using var fixture = await ToolFixture.StartAsync();
        using var reserved = new ReservedAddresses();
        var unused = reserved.Next();

        var unknown = await ToolRun.RunAsync("bake");
        var nowhere = await ToolRun.RunAsync("status");
        var address = await ToolRun.RunAsync("status", "--connect", "shop1");
        var unreachable = await ToolRun.RunAsync("status", "--connect", unused);
        var unauthorized = await ToolRun.RunAsync("put", "Cakes", "1", "{}", "--connect", fixture.Cluster[1].Address);
        var missing = await fixture.RunAsync("put", "Cakes", "1", "{}", "--operator-secret-file", fixture.PathOf("missing"));
        var json = await fixture.RunAsync("put", "Cakes", "1", "{Name:}");
        var condition = await fixture.RunAsync("query", "Cakes", "--where", "Price >");

        Assert.Equal((ExitCode.Usage, ExitCode.Usage, ExitCode.Usage), (unknown.ExitCode, nowhere.ExitCode, address.ExitCode));
        Assert.Contains("DATACAKE_CONNECT", nowhere.Messages, StringComparison.Ordinal);
        Assert.Contains("HOST:PORT", address.Messages, StringComparison.Ordinal);
        Assert.Equal(ExitCode.CannotConnect, unreachable.ExitCode);
        Assert.Equal(ExitCode.Refused, unauthorized.ExitCode);
        Assert.Contains("--operator-secret-file", unauthorized.Messages, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Usage, ExitCode.Usage, ExitCode.Usage), (missing.ExitCode, json.ExitCode, condition.ExitCode));
        Assert.Contains("has the end in place of a number", condition.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_command_has_an_example_in_its_help()
    {
        string help = (await ToolRun.RunAsync("--help")).Values;
        string example = (await ToolRun.RunAsync("status", "--help")).Values;
        var root = DatacakeCommand.Create();

        Assert.NotEmpty(root.Subcommands);
        Assert.Contains("  datacake status --connect", example, StringComparison.Ordinal);
        Assert.All(root.Subcommands, command => Assert.Contains($"  {command.Name} ", help, StringComparison.Ordinal));
        Assert.All(root.Subcommands, static command => Assert.StartsWith(command.Name, Assert.IsType<ToolCommand>(command).Example, StringComparison.Ordinal));
    }
}
