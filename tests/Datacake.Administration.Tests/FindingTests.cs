using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Administration.Tests;

/// <summary>The findings of a node, which an operator reads in its status.</summary>
public class FindingTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Findings_and_errors_of_a_named_store_name_the_settings_of_its_section()
    {
        await using var fixture = await Fixture.StartAsync(1, static options => options.UseMemory().WithStore("catalog", static store =>
        {
            store.UseMemory();
            store.Settings.ExpectedNodes = 3;
            store.Settings.JoinTimeout = TimeSpan.FromMilliseconds(1);
        }));
        await fixture[1].OpenStoresAsync(Canceled);
        const string setting = "3 nodes are expected (Stores:catalog:ExpectedNodes in the configuration, or ReplicatedStoreOptions.ExpectedNodes)";

        await Eventually.WaitUntilAsync(
            () => NodeFindings.Of(fixture[1]).Any(static finding => finding.Code == "joining" && finding.Problem.Contains(setting, StringComparison.Ordinal)), "the finding names the setting");
        var store = await fixture[1].OpenStoreAsync("catalog", Canceled);
        var error = await Assert.ThrowsAsync<TimeoutException>(() => store.Keyspace("cakes").PutAsync(1, new byte[1], cancellationToken: Canceled).AsTask());
        Assert.Contains(setting, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Member_that_has_stopped_as_planned_is_a_finding_until_it_is_back_or_retired()
    {
        await using var cluster = await Fixture.StartAsync(3);
        await cluster.StopAsync(3);

        var finding = await FindAsync(cluster, "member-left");
        await cluster.StartNodeAsync(3);
        await WaitForMemberAsync(cluster, 3);
        await cluster.StopAsync(3);
        await FindAsync(cluster, "member-left");
        await cluster.ClientOf(1).RetireAsync(3, Canceled);
        await WaitWithoutAsync(cluster, "member-left");

        Assert.Equal(FindingSeverity.Warning, finding.Severity);
        Assert.Contains("Stopped: node 3 at", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("still counts", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("its log says why", finding.Remedy, StringComparison.Ordinal);
        Assert.Contains("retire it", finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_and_keyspaces_are_answered_while_the_store_has_not_joined_and_say_why()
    {
        using var reserved = new ReservedAddresses();
        string[] addresses = reserved.Next(2);
        await using var node = await StartAsync(1, addresses[0], options => options.WithSeeds(addresses).UseMemory().WithModel<EverythingContext>());
        var client = new AdministrationClient(node.ChannelTo(node.Address));

        await Eventually.WaitUntilAsync(
            async () => (await client.GetStatusAsync(Canceled)).Findings.Any(static finding => finding.Code == "joining" && finding.Problem.Contains("do not answer", StringComparison.Ordinal)), "the reason is known");
        var status = await client.GetStatusAsync(Canceled);
        var keyspaces = await client.ListKeyspacesAsync(Canceled);

        var finding = status.Findings.Single(static finding => finding.Code == "joining");
        Assert.False(status.HasJoined);
        Assert.Equal((FindingSeverity.Error, 0L), (finding.Severity, status.Documents));
        Assert.Contains($"some of its seeds do not answer ({addresses[1]}).", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("Store:FormCluster in the configuration, or ReplicatedStoreOptions.FormCluster", finding.Remedy, StringComparison.Ordinal);
        Assert.Contains($"Seed {addresses[1]}:", finding.Remedy, StringComparison.Ordinal);
        Assert.Equal(("Things", 0L), keyspaces.Select(static keyspace => (keyspace.Name, keyspace.Documents)).Single());
    }

    [Fact]
    public async Task Store_that_waits_for_expected_nodes_names_the_setting()
    {
        using var reserved = new ReservedAddresses();
        string address = reserved.Next();
        await using var node = await StartAsync(1, address, options => options.WithSeeds(address).UseMemory().WithStore(static store => store.ExpectedNodes = 2));

        var finding = (await new AdministrationClient(node.ChannelTo(address)).GetStatusAsync(Canceled)).Findings.Single(static finding => finding.Code == "joining");

        Assert.Contains("2 nodes are expected (Store:ExpectedNodes in the configuration, or ReplicatedStoreOptions.ExpectedNodes).", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("Start the other nodes.", finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Take_over_that_is_left_in_the_settings_and_expected_nodes_that_never_came_are_findings()
    {
        string folder = Directory.CreateTempSubdirectory("datacake-findings-").FullName;
        using var reserved = new ReservedAddresses();
        string address = reserved.Next();
        string[] first = await CodesAsync(static store => store.TakeOverNodeId = true);
        string[] second = await CodesAsync(static store => store.TakeOverNodeId = true);
        Finding? level = null;
        string[] third = await CodesAsync(static store => store.ExpectedNodes = 3);

        Assert.Empty(first);
        Assert.Equal(["take-over"], second);
        Assert.Equal(["level"], third);
        Assert.Contains("Quorum requires 2 of 3 expected members, of which 1 has joined (node 1), because 3 nodes are expected (Store:ExpectedNodes", level!.Problem, StringComparison.Ordinal);
        Assert.Contains("lower the setting on all of them", level.Remedy, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);

        async Task<string[]> CodesAsync(Action<ReplicatedStoreOptions> configure)
        {
            await using var node = await StartAsync(1, address, options => options.WithSeeds(address).UseSqlite(Path.Combine(folder, "cakes.db")).WithStore(configure));
            var store = await node.OpenStoreAsync(Canceled);
            await store.WaitUntilJoinedAsync(Eventually.Deadline, Canceled);
            var findings = (await new AdministrationClient(node.ChannelTo(address)).GetStatusAsync(Canceled)).Findings;
            level = findings.FirstOrDefault(static finding => finding.Code == "level");
            if (level is not null)
            {
                var failure = await Assert.ThrowsAsync<NotEnoughNodesException>(async () => await store.Keyspace("cakes").PutAsync(1, "cake"u8.ToArray(), Consistency.Quorum, Canceled));
                Assert.Contains("lower the expected number on all nodes (Store:ExpectedNodes", failure.Message, StringComparison.Ordinal);
            }
            return [.. findings.Select(static finding => finding.Code)];
        }
    }

    [Fact]
    public async Task Different_numbers_of_expected_nodes_are_a_finding_of_all()
    {
        await using var cluster = await Fixture.StartAsync(3, static options => options.UseMemory().WithStore(static store => store.ExpectedNodes = 3));
        await cluster.StopAsync(3);
        await cluster.StartNodeAsync(3, static options => options.UseMemory().WithStore(static store => store.ExpectedNodes = 4));

        var finding = await FindAsync(cluster, "expected-nodes");

        Assert.Contains("different numbers of nodes (Store:ExpectedNodes", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("3 on nodes 1, 2", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("4 on node 3", finding.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Store_that_was_retired_gives_no_advice_on_others_and_retires_nobody()
    {
        await using var cluster = await Fixture.StartAsync(3);
        await cluster.ClientOf(1).RetireAsync(3, isRunning: true, Canceled);
        var client = cluster.ClientOf(3);
        NodeStatus? status = null;
        await Eventually.WaitUntilAsync(async () => (status = await client.GetStatusAsync(Canceled)).Findings.Any(static finding => finding.Code == "excluded"), "node 3 knows that it was retired");

        var refusal = await Assert.ThrowsAsync<AdministrationException>(() => client.RetireAsync(1, isRunning: true, Canceled));

        var finding = Assert.Single(status!.Findings);
        Assert.EndsWith("the store of node 3 was retired or replaced by another store.", finding.Problem, StringComparison.Ordinal);
        Assert.StartsWith("Move its files away and start the node with an empty store;", finding.Remedy, StringComparison.Ordinal);
        Assert.Contains("Node 1 was not retired, because node 3 cannot decide that: its own store is no longer part of the cluster: the store of node 3 was retired", refusal.Message, StringComparison.Ordinal);
        Assert.EndsWith("Retire node 1 at a node that is still a member.", refusal.Message, StringComparison.Ordinal);
        Assert.True((await cluster.ClientOf(2).GetStatusAsync(Canceled)).Members.Single(static member => member.NodeId == 1).HasJoined);
    }

    [Fact]
    public async Task Refusal_says_what_is_wrong_and_its_remedy_what_to_do()
    {
        await using var cluster = await Fixture.StartAsync(3);
        await cluster.ClientOf(1).RetireAsync(3, isRunning: true, Canceled);

        var finding = await FindAsync(cluster, "member-refused");

        Assert.Contains("No session with node 3 at", finding.Problem, StringComparison.Ordinal);
        Assert.EndsWith("the store of node 3 was retired or replaced by another store.", finding.Problem, StringComparison.Ordinal);
        Assert.StartsWith("Move its files away", finding.Remedy, StringComparison.Ordinal);
        Assert.EndsWith("The nodes retry by themselves.", finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Storage_at_its_limit_says_that_a_raised_limit_needs_a_restart()
    {
        string folder = Directory.CreateTempSubdirectory("datacake-findings-").FullName;
        await using (var cluster = await Fixture.StartAsync(1, options => options.UseSqlite(Path.Combine(folder, "cakes.db"), static sqlite => sqlite.MaxFileBytes = 400_000)))
        {
            var client = cluster.ClientOf(1);
            Finding? finding = null;
            for (int i = 0; finding is null; i++)
            {
                try
                {
                    await client.PutAsync("cakes", Fixture.Json($"{i}"), Fixture.Json($$"""{"Recipe":"{{new string('x', 10_000)}}"}"""), Canceled);
                }
                catch (AdministrationException)
                {
                    finding = (await client.GetStatusAsync(Canceled)).Findings.Single(static finding => finding.Code == "storage");
                }
            }

            Assert.Contains("MaxFileBytes, which takes effect when the store is opened again.", finding.Problem, StringComparison.Ordinal);
            Assert.Contains("takes effect when the node is restarted", finding.Remedy, StringComparison.Ordinal);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Follower_whose_members_are_gone_is_a_warning_and_nothing_else()
    {
        using var reserved = new ReservedAddresses();
        await using var member = await StartAsync(1, reserved.Next(), static options => options.UseMemory());
        await using var follower = await DatacakeNode.StartAsync(options => options.AsFollower(member.Address).UseMemory(), Canceled);
        var store = await follower.OpenStoreAsync(Canceled);
        await store.Joined.WaitAsync(Eventually.Deadline, Canceled);
        await Eventually.WaitUntilAsync(() => store.FollowStatus!.IsConnected, "it is connected");
        Assert.Empty(NodeFindings.Of(follower));

        await member.DisposeAsync();
        await Eventually.WaitUntilAsync(() => !store.FollowStatus!.IsConnected, "it is not connected");
        var finding = NodeFindings.Of(follower).Single();

        Assert.Equal((FindingSeverity.Warning, "follows-nobody"), (finding.Severity, finding.Code));
        Assert.Contains(member.Address, finding.Problem, StringComparison.Ordinal);
    }

    static async Task<DatacakeNode> StartAsync(int id, string address, Action<DatacakeNodeOptions> configure)
    {
        var node = await DatacakeNode.StartAsync(options =>
        {
            options.WithNodeId(id).ListenOn(address).WithGossip(static gossip => gossip.UseLocal());
            configure(options);
        }, Canceled);
        await node.OpenAdministrationAsync(Canceled);
        return node;
    }

    static async Task<Finding> FindAsync(Fixture cluster, string code)
    {
        Finding? found = null;
        await Eventually.WaitUntilAsync(
            async () => (found = (await cluster.ClientOf(1).GetStatusAsync(Canceled)).Findings.FirstOrDefault(finding => finding.Code == code)) is not null, $"node 1 has the finding {code}");
        return found!;
    }

    static Task WaitForMemberAsync(Fixture cluster, int node) => Eventually.WaitUntilAsync(
        async () => await cluster.ClientOf(1).GetStatusAsync(Canceled) is { Findings.Count: 0 } status && status.Members.Any(member => member.NodeId == node && member is { HasJoined: true, Connection: "InSession" }),
        $"node {node} is in session, and all is well");

    static Task WaitWithoutAsync(Fixture cluster, string code) => Eventually.WaitUntilAsync(
        async () => (await cluster.ClientOf(1).GetStatusAsync(Canceled)).Findings.All(finding => finding.Code != code), $"node 1 has no finding {code}");
}
