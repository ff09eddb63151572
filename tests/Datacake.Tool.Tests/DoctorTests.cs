using System.Text.Json;
using Datacake.Administration;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Sqlite;
using Datacake.Storage;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Tests;

/// <summary>The doctor: what it checks, and what the nodes see of it.</summary>
public class DoctorTests
{
    const string ClusterSecret = "the secret of a cluster", OtherSecret = "another secret of a cluster";

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Wrong_operator_secret_is_a_problem_and_the_right_one_is_not()
    {
        await using var fixture = await ToolFixture.StartAsync();
        string wrongFile = fixture.PathOf("wrong");
        File.WriteAllText(wrongFile, "not the secret of the operators");

        var right = await fixture.RunAsync("doctor", "--json");
        var wrong = await fixture.RunAsync("doctor", "--json", "--operator-secret-file", wrongFile);
        var none = await ToolRun.RunAsync("doctor", "--json", "--connect", fixture.Cluster[1].Address);

        Assert.Equal((ExitCode.Good, ExitCode.Refused, ExitCode.Good), (right.ExitCode, wrong.ExitCode, none.ExitCode));
        Assert.Equal((true, "Node 1 accepts the operator secret."), Find(right, "operator"));
        var (isGood, result) = Find(wrong, "operator");
        Assert.False(isGood);
        Assert.Contains("The operator secret is wrong: it differs from that of node 1.", result, StringComparison.Ordinal);
        Assert.Contains("it was not tried", Find(none, "operator").Result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Seeds_are_asked_with_the_secret_of_the_cluster_and_leave_no_refusal_in_a_log()
    {
        await using var fixture = await ToolFixture.StartAsync(2);

        var good = await fixture.RunGoodAsync("doctor");

        Assert.Equal((true, $"{fixture.Cluster[2].Address} is node 2, and accepts the cluster secret and the certificates."), Find(good, "seed"));
        Assert.False(fixture.Cluster.Log.Contains("was refused"));
    }

    [Fact]
    public async Task Seed_that_refuses_the_cluster_secret_is_a_problem_as_is_one_without_a_node()
    {
        using var reserved = new ReservedAddresses();
        string[] addresses = reserved.Next(3);
        string folder = Directory.CreateTempSubdirectory("datacake-doctor-").FullName, secretFile = Path.Combine(folder, "secret");
        File.WriteAllText(secretFile, ClusterSecret);
        await using var first = await StartAsync(1, ClusterSecret, options => options.ListenOn(addresses[0]).WithSeeds(addresses).UseMemory());
        await using var second = await StartAsync(2, OtherSecret, options => options.ListenOn(addresses[1]).WithSeeds(addresses[1]).UseMemory());

        var checkup = await ToolRun.RunAsync("doctor", "--json", "--connect", addresses[0], "--secret-file", secretFile);
        var text = await ToolRun.RunAsync("doctor", "--connect", addresses[0], "--secret-file", secretFile);

        var seeds = checkup.JsonLines.Where(static check => check.GetProperty("name").GetString() == "seed").ToArray();
        Assert.Equal(2, seeds.Length);
        Assert.All(seeds, static seed => Assert.False(seed.GetProperty("isGood").GetBoolean()));
        Assert.Contains($"{addresses[1]} can be reached, but refuses what the node at {addresses[0]} accepts", seeds[0].GetProperty("result").GetString(), StringComparison.Ordinal);
        Assert.Contains("differs from the server's", seeds[0].GetProperty("result").GetString(), StringComparison.Ordinal);
        Assert.Contains("same cluster secret", seeds[0].GetProperty("remedy").GetString(), StringComparison.Ordinal);
        Assert.Contains($"Cannot connect to {addresses[2]}", seeds[1].GetProperty("result").GetString(), StringComparison.Ordinal);
        Assert.Contains("joining", text.Values, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Findings, text.ExitCode);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Wrong_cluster_secret_has_the_exit_code_of_a_refusal()
    {
        using var reserved = new ReservedAddresses();
        string address = reserved.Next(), folder = Directory.CreateTempSubdirectory("datacake-doctor-").FullName, secretFile = Path.Combine(folder, "secret");
        File.WriteAllText(secretFile, OtherSecret);
        await using var node = await StartAsync(1, ClusterSecret, options => options.ListenOn(address).WithSeeds(address).UseMemory());

        var checkup = await ToolRun.RunAsync("doctor", "--json", "--connect", address, "--secret-file", secretFile);
        var none = await ToolRun.RunAsync("doctor", "--json", "--connect", address);

        Assert.Equal((ExitCode.Refused, ExitCode.Refused), (checkup.ExitCode, none.ExitCode));
        Assert.False(Find(checkup, "connection").IsGood);
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Seed_of_a_retired_node_is_no_problem()
    {
        await using var fixture = await ToolFixture.StartAsync(3);
        string address = fixture.Cluster[3].Address;
        await fixture.Cluster.StopAsync(3);
        await fixture.RunGoodAsync("retire", "3", "--yes");
        await Eventually.WaitUntilAsync(
            async () => (await fixture.Cluster.ClientOf(1).GetStatusAsync(Canceled)).Members.Any(static member => member is { NodeId: 3, Connection: "Retired" }), "node 3 is retired");

        var checkup = await fixture.RunAsync("doctor", "--json");

        var seed = checkup.JsonLines.Single(check => check.GetProperty("result").GetString()!.StartsWith(address, StringComparison.Ordinal));
        Assert.True(seed.GetProperty("isGood").GetBoolean());
        Assert.Contains("is the address of node 3, which was retired. Remove it from the seeds", seed.GetProperty("result").GetString(), StringComparison.Ordinal);
        Assert.Equal(ExitCode.Good, checkup.ExitCode);
    }

    [Fact]
    public async Task Little_free_space_is_a_problem()
    {
        await using var roomy = await ToolFixture.StartAsync(1, static (folder, options) => options.UseSqlite(Path.Combine(folder, "cakes.db")));
        await using var full = await ToolFixture.StartAsync(1, static (folder, options) => options.UseStorage(() => new NearlyFullDisk(new SqliteStorage(Path.Combine(folder, "cakes.db")), 1_234_567)));

        var good = await roomy.RunAsync("doctor", "--json");
        var bad = await full.RunAsync("doctor", "--json");

        long free = (await roomy.RunGoodAsync("status")).Json.GetProperty("freeBytes").GetInt64();
        Assert.Equal(free >= 200_000_000, Find(good, "disk").IsGood);
        Assert.InRange(free, 1, long.MaxValue);
        Assert.Equal(ExitCode.Findings, bad.ExitCode);
        var (isGood, result) = Find(bad, "disk");
        Assert.False(isGood);
        Assert.Contains("1,234,567 bytes free", result, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Node_whose_administration_is_not_open_yet_is_not_blamed_on_the_code()
    {
        using var reserved = new ReservedAddresses();
        string address = reserved.Next();
        await using var node = await DatacakeNode.StartAsync(options => options.WithNodeId(1).ListenOn(address).UseMemory(), Canceled);

        var status = await ToolRun.RunAsync("status", "--connect", address);
        var checkup = await ToolRun.RunAsync("doctor", "--connect", address, "--json");

        Assert.Equal((ExitCode.CannotConnect, ExitCode.CannotConnect), (status.ExitCode, checkup.ExitCode));
        Assert.Contains("its administration is not open. If it has just started, retry in a few seconds.", status.Messages, StringComparison.Ordinal);
        Assert.Equal([("port", true), ("connection", false)], checkup.JsonLines[1..].Select(static check => (check.GetProperty("name").GetString()!, check.GetProperty("isGood").GetBoolean())));
    }

    [Fact]
    public async Task Node_that_cannot_be_reached_ends_the_list_at_its_port()
    {
        using var reserved = new ReservedAddresses();
        string address = reserved.Next();

        var checkup = await ToolRun.RunAsync("doctor", "--connect", address, "--json");

        Assert.Equal(ExitCode.CannotConnect, checkup.ExitCode);
        Assert.Equal((false, $"Cannot connect to {address}: Connection refused."), Find(checkup, "port"));
        Assert.Equal("port", checkup.JsonLines[^1].GetProperty("name").GetString());
    }

    static (bool IsGood, string Result) Find(ToolRun run, string name)
    {
        var check = run.JsonLines.First(check => check.GetProperty("name").GetString() == name);
        return (check.GetProperty("isGood").GetBoolean(), check.GetProperty("result").GetString()!);
    }

    static async Task<DatacakeNode> StartAsync(int id, string secret, Action<DatacakeNodeOptions> configure)
    {
        var node = await DatacakeNode.StartAsync(options =>
        {
            options.WithNodeId(id).WithClusterSecret(secret).WithGossip(static gossip => gossip.UseLocal());
            configure(options);
        }, Canceled);
        await node.OpenAdministrationAsync(Canceled);
        return node;
    }
}
