using System.Reflection;
using System.Runtime.CompilerServices;
using Datacake.Administration;
using Datacake.Rpc;

namespace Datacake.Operations.Tests;

/// <summary>The procedures of the operations guide: each test brings about the situation, runs the very commands of the guide, and checks the state afterwards.</summary>
public class OperationsGuideTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public void Every_procedure_of_the_guide_has_a_test() => Assert.Equal(
        Guide.Procedures.Order(StringComparer.Ordinal),
        typeof(OperationsGuideTests).GetMethods().Select(static test => test.GetCustomAttribute<ProcedureAttribute>()?.Heading).OfType<string>().Order(StringComparer.Ordinal));

    [Fact]
    public async Task Guide_sets_the_variables_that_the_tests_replace()
    {
        await using var cluster = OperatedCluster.Create();

        Assert.Equal(cluster.Variables.Order(StringComparer.Ordinal), Guide.Variables.Order(StringComparer.Ordinal));
    }

    [Fact, Procedure("Check the cluster")]
    public async Task Healthy_cluster_is_shown_as_such()
    {
        await using var cluster = await StartWithDocumentsAsync(5);

        await RunAsync(cluster);
    }

    [Fact, Procedure("Add a node")]
    public async Task Added_node_gets_all_data_and_counts()
    {
        await using var cluster = await StartWithDocumentsAsync(20);
        cluster.Configure(4, "Datacake__Store__ExpectedNodes=4");
        // A machine may lack the setting, and the last line of its file may have no end.
        string settings = cluster.SettingsOf(2).Replace("Datacake__Store__ExpectedNodes=3\n", "", StringComparison.Ordinal);
        await File.WriteAllTextAsync(cluster.PathOf(2, "etc", "shop.env"), settings.TrimEnd('\n'), Canceled);

        await RunAsync(cluster);

        Assert.All([1, 2, 3], node => Assert.Contains("\nDatacake__Store__ExpectedNodes=4\n", cluster.SettingsOf(node), StringComparison.Ordinal));
        Assert.Contains("\nDatacake__Gossip__Profile=Local\n", cluster.SettingsOf(2), StringComparison.Ordinal);

        await cluster.PutAsync(4, 21, 22);
        await cluster.WaitForDocumentsAsync(22, 1, 2, 3, 4);
        await cluster.WaitUntilHealthyAsync(1, 2, 3, 4);
        Assert.Equal(4, (await StatusAsync(cluster, 1)).Members.Count(static member => member.HasJoined));
    }

    [Fact, Procedure("Remove a node")]
    public async Task Removed_node_counts_no_longer_and_is_refused()
    {
        await using var cluster = await StartWithDocumentsAsync(20);

        await RunAsync(cluster);

        await cluster.PutAsync(2, 21, 22);
        await cluster.WaitForDocumentsAsync(22, 1, 2);
        await cluster.WaitUntilHealthyAsync(1, 2);
        Assert.DoesNotContain("Seeds__2", cluster.SettingsOf(1), StringComparison.Ordinal);
        File.Copy(cluster.PathOf(3, "data", "retired", "shop.db"), cluster.PathOf(3, "data", "shop.db"));
        await cluster.SystemctlAsync(3, "start");
        await cluster.WaitForHealthAsync(3, "Unhealthy");
        Assert.Equal(2, (await StatusAsync(cluster, 1)).Members.Count(static member => member.HasJoined));
    }

    [Fact, Procedure("Replace a node whose disk is lost")]
    public async Task Empty_disk_takes_over_the_node()
    {
        await using var cluster = await StartWithDocumentsAsync(20);
        await cluster.SystemctlAsync(3, "kill");
        Directory.Delete(cluster.PathOf(3, "data"), recursive: true);
        await cluster.PutAsync(1, 21, 22);

        await RunAsync(cluster);

        await cluster.PutAsync(3, 23, 23);
        await cluster.WaitForDocumentsAsync(23, 1, 2, 3);
        await cluster.WaitUntilHealthyAsync(1, 2, 3);
        Assert.DoesNotContain("TakeOver", cluster.SettingsOf(3), StringComparison.Ordinal);
    }

    [Fact, Procedure("Update to a new version")]
    public async Task Nodes_are_updated_one_by_one_while_others_write()
    {
        await using var cluster = await StartWithDocumentsAsync(1);
        using var updated = new CancellationTokenSource();
        var writing = WriteAsync(cluster, updated.Token);

        await RunAsync(cluster);

        await updated.CancelAsync();
        int written = await writing;
        Assert.True(written > 1);
        await cluster.WaitForDocumentsAsync(written, 1, 2, 3);
        await cluster.WaitUntilHealthyAsync(1, 2, 3);
    }

    [Fact, Procedure("Back up")]
    public async Task Backups_of_all_nodes_are_good()
    {
        await using var cluster = await StartWithDocumentsAsync(20);

        await RunAsync(cluster);

        Assert.Equal(["node1", "node2", "node3"], Directory.GetFiles(cluster.Backups).Select(static file => Path.GetFileName(file).Split('_')[1]).Order(StringComparer.Ordinal));
    }

    [Fact, Procedure("Restore one node")]
    public async Task Restored_node_fetches_what_it_lacks()
    {
        await using var cluster = await StartWithDocumentsAsync(20);
        await cluster.BashAsync("datacake backup $BACKUPS --verify --connect $NODE3");
        await cluster.PutAsync(1, 21, 40);
        await cluster.SystemctlAsync(3, "kill");
        Damage(cluster.PathOf(3, "data", "shop.db"));

        await RunAsync(cluster);

        await cluster.PutAsync(3, 41, 41);
        await cluster.WaitForDocumentsAsync(41, 1, 2, 3);
        await cluster.WaitUntilHealthyAsync(1, 2, 3);
    }

    [Fact, Procedure("Restore all nodes from one backup")]
    public async Task All_nodes_go_back_to_the_time_of_the_backup()
    {
        await using var cluster = await StartWithDocumentsAsync(20);
        await cluster.BashAsync("datacake backup $BACKUPS --verify --connect $NODE1");
        await cluster.PutAsync(1, 21, 40);
        await cluster.WaitForDocumentsAsync(40, 1, 2, 3);

        await RunAsync(cluster);

        await cluster.WaitForDocumentsAsync(20, 1, 2, 3);
        await cluster.WaitUntilHealthyAsync(1, 2, 3);
        await cluster.PutAsync(2, 21, 21);
        await cluster.WaitForDocumentsAsync(21, 1, 2, 3);
    }

    [Fact, Procedure("An old backup")]
    public async Task Old_backup_brings_back_no_deleted_document()
    {
        await using var cluster = await StartWithDocumentsAsync(150);
        await cluster.BashAsync("datacake backup $BACKUPS --verify --connect $NODE3");
        await cluster.CallAsync(1, async client =>
        {
            for (int key = 21; key <= 150; key++)
                await client.DeleteAsync(OperatedCluster.Keyspace, System.Text.Json.JsonElement.Parse($"{key}"), Canceled);
            return true;
        });
        await cluster.WaitForDocumentsAsync(20, 1, 2, 3);
        // Node 2 cannot confirm the removal, so that it is held back.
        await cluster.SystemctlAsync(2, "stop");

        await RunAsync(cluster);

        await cluster.SystemctlAsync(2, "start");
        await cluster.WaitForDocumentsAsync(20, 1, 2, 3);
        await cluster.WaitUntilHealthyAsync(1, 2, 3);
    }

    [Fact, Procedure("A wrong clock")]
    public async Task Node_with_a_corrected_clock_is_in_session_again()
    {
        await using var cluster = await StartWithDocumentsAsync(5);
        File.WriteAllText(cluster.PathOf(3, "etc", "clock"), "7200");
        await cluster.WaitForFindingAsync(1, "member-refused");

        await RunAsync(cluster);

        await cluster.PutAsync(1, 6, 7);
        await cluster.WaitForDocumentsAsync(7, 1, 2, 3);
        await cluster.WaitUntilHealthyAsync(1, 2, 3);
    }

    [Fact, Procedure("A lost majority")]
    public async Task Node_that_is_left_becomes_the_majority()
    {
        await using var cluster = await StartWithDocumentsAsync(20);
        foreach (int node in (int[])[2, 3])
        {
            await cluster.SystemctlAsync(node, "kill");
            Directory.Delete(cluster.PathOf(node, "data"), recursive: true);
        }
        await cluster.WaitForFindingAsync(1, "level");
        await Assert.ThrowsAsync<AdministrationException>(() => cluster.PutAsync(1, 21, 21));

        await RunAsync(cluster);

        await cluster.PutAsync(3, 21, 22);
        await cluster.WaitForDocumentsAsync(22, 1, 2, 3);
        await cluster.WaitUntilHealthyAsync(1, 2, 3);
    }

    [Fact, Procedure("A full disk")]
    public async Task Node_with_room_again_fetches_what_it_lacks()
    {
        await using var cluster = await OperatedCluster.StartAsync(null, static cluster =>
        {
            cluster.Configure(3, "Datacake__Storage__MaxFileBytes=400000");
            return Task.CompletedTask;
        });
        int written = 0;
        while (await cluster.CallAsync(3, static client => client.ReadLogAsync(level: Microsoft.Extensions.Logging.LogLevel.Error, cancellationToken: Canceled)) is { Count: 0 })
        {
            await cluster.PutAsync(1, written + 1, written + 10, length: 10_000);
            written += 10;
        }

        await RunAsync(cluster);

        await cluster.WaitForDocumentsAsync(written, 1, 2, 3);
        await cluster.WaitUntilHealthyAsync(1, 2, 3);
    }

    [Fact, Procedure("Renew certificates")]
    public async Task Nodes_use_renewed_certificates_without_a_restart()
    {
        using var issuer = new TestIssuer();
        var soon = DateTimeOffset.UtcNow.AddDays(3);
        string issuers = Path.GetTempFileName();
        await File.WriteAllTextAsync(issuers, issuer.Pem, Canceled);
        await using (var cluster = await OperatedCluster.StartAsync(
            new RpcTls { TrustedIssuersFile = issuers }, cluster =>
            {
                for (int node = 1; node <= 3; node++)
                {
                    issuer.Issue(cluster.PathOf(node, "etc"), "node", DateTimeOffset.UtcNow.AddDays(90));
                    File.WriteAllText(cluster.PathOf(node, "etc", "issuers.pem"), issuer.Pem);
                }
                return Task.CompletedTask;
            },
            "Datacake__Tls__CertificateFile=etc/node.pem", "Datacake__Tls__CertificateKeyFile=etc/node.key", "Datacake__Tls__TrustedIssuersFile=etc/issuers.pem",
            "Datacake__Tls__ReloadInterval=00:00:01"))
        {
            await cluster.PutAsync(1, 1, 5);
            for (int node = 1; node <= 3; node++)
                issuer.Issue(cluster.PathOf(node, "etc"), "node", soon);
            await cluster.WaitForFindingAsync(1, "certificate");
            for (int node = 1; node <= 3; node++)
                issuer.Issue(cluster.OperatorFolder, $"node{node}", DateTimeOffset.UtcNow.AddDays(90));
            await File.WriteAllTextAsync(Path.Combine(cluster.OperatorFolder, "issuers.pem"), issuer.Pem, Canceled);

            await RunAsync(cluster);

            AssertPrivate(cluster, "node.key");
            Assert.All(await Task.WhenAll(Enumerable.Range(1, 3).Select(node => StatusAsync(cluster, node))), status => Assert.True(status.CertificateExpiresAt > soon.AddDays(1)));
            await cluster.WaitForDocumentsAsync(5, 1, 2, 3);
            await cluster.WaitUntilHealthyAsync(1, 2, 3);
        }
        File.Delete(issuers);
    }

    [Fact, Procedure("Change the cluster secret")]
    public async Task Only_the_new_cluster_secret_is_accepted()
    {
        await using var cluster = await StartWithDocumentsAsync(5);

        await RunAsync(cluster);

        await cluster.PutAsync(3, 6, 7);
        await cluster.WaitForDocumentsAsync(7, 1, 2, 3);
        await cluster.WaitUntilHealthyAsync(1, 2, 3);
        AssertPrivate(cluster, "secret");
        string old = await cluster.BashAsync("echo 'the secret of the cluster' > old; datacake status --connect $NODE1 --secret-file old || echo refused with $?");
        Assert.Contains("refused with 4", old, StringComparison.Ordinal);
    }

    [Fact, Procedure("Change the operator secret")]
    public async Task Only_the_new_operator_secret_is_accepted()
    {
        await using var cluster = await StartWithDocumentsAsync(5);

        await RunAsync(cluster);

        await cluster.PutAsync(3, 6, 7);
        await cluster.WaitForDocumentsAsync(7, 1, 2, 3);
        AssertPrivate(cluster, "operator-secret");
        string old = await cluster.BashAsync("echo 'the secret of the operators' > old; datacake compact --connect $NODE1 --operator-secret-file old || echo refused with $?");
        Assert.Contains("refused with 4", old, StringComparison.Ordinal);
    }

    /// <summary>Checks that nobody but the user of the service can read a secret on any machine.</summary>
    static void AssertPrivate(OperatedCluster cluster, string file)
    {
        for (int node = 1; node <= 3 && !OperatingSystem.IsWindows(); node++)
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(cluster.PathOf(node, "etc", file)));
    }

    static Task RunAsync(OperatedCluster cluster, [CallerMemberName] string test = "") =>
        cluster.RunAsync(typeof(OperationsGuideTests).GetMethod(test)!.GetCustomAttribute<ProcedureAttribute>()!.Heading);

    static async Task<OperatedCluster> StartWithDocumentsAsync(int count)
    {
        var cluster = await OperatedCluster.StartAsync();
        try
        {
            await cluster.PutAsync(1, 1, count);
            await cluster.WaitForDocumentsAsync(count, 1, 2, 3);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    static Task<NodeStatus> StatusAsync(OperatedCluster cluster, int node) => cluster.CallAsync(node, static client => client.GetStatusAsync(Canceled));

    /// <summary>Puts one document after another until it is canceled, at a node that accepts it, and returns their number.</summary>
    static async Task<int> WriteAsync(OperatedCluster cluster, CancellationToken cancellationToken)
    {
        int written = 1;
        while (!cancellationToken.IsCancellationRequested)
        {
            for (int node = 1; node <= 3; node++)
            {
                try
                {
                    await cluster.PutAsync(node, written + 1, written + 1);
                    written++;
                    break;
                }
                catch (AdministrationException)
                {
                    // This node is being restarted. Another one takes the document, with the same key and content.
                }
            }
        }
        return written;
    }

    static void Damage(string path)
    {
        using var file = new FileStream(path, FileMode.Open);
        file.Position = file.Length / 4;
        file.Write(new byte[file.Length / 2]);
    }
}
