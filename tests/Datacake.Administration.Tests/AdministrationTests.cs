using Datacake.EventualConsistency;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Administration.Tests;

/// <summary>The administration of nodes, over their own ports.</summary>
public class AdministrationTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Status_shows_the_members_and_what_is_wrong_with_the_remedy()
    {
        await using var cluster = await Fixture.StartAsync(3);
        await (await cluster[1].OpenStoreAsync(Canceled)).Keyspace("cakes").PutAsync(1, "Madeira"u8.ToArray(), Consistency.All, Canceled);
        var client = cluster.ClientOf(2);

        var healthy = await client.GetStatusAsync(Canceled);
        await cluster.StopAsync(3);
        await Eventually.WaitUntilAsync(async () => (await client.GetStatusAsync(Canceled)).Members.Single(static member => member.NodeId == 3).Connection == "Left", "node 3 has left");
        var degraded = await client.GetStatusAsync(Canceled);

        Assert.Equal((2, 1L, 1, true), (healthy.NodeId, healthy.Documents, healthy.Keyspaces, healthy.HasJoined));
        Assert.Equal(["InSession", "Local", "InSession"], healthy.Members.Select(static member => member.Connection));
        Assert.All(healthy.Members, member => Assert.Equal(healthy.Version, member.Version));
        Assert.Empty(healthy.Findings);
        Assert.Equal(["InSession", "Local", "Left"], degraded.Members.Select(static member => member.Connection));
    }

    [Fact]
    public async Task Member_that_fails_is_a_finding_with_a_remedy()
    {
        await using var cluster = await Fixture.StartAsync(3);
        await cluster[3].StopAbruptlyAsync();

        await Eventually.WaitUntilAsync(async () => (await cluster.ClientOf(1).GetStatusAsync(Canceled)).Findings.Any(static finding => finding.Code == "member-down"), "it is found");

        var finding = (await cluster.ClientOf(1).GetStatusAsync(Canceled)).Findings.Single(static finding => finding.Code == "member-down");
        Assert.Equal(FindingSeverity.Warning, finding.Severity);
        Assert.Contains("node 3", finding.Problem, StringComparison.Ordinal);
        Assert.Contains("retire", finding.Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Failed_member_that_is_retired_is_no_longer_a_finding()
    {
        await using var cluster = await Fixture.StartAsync(3);
        await cluster[3].StopAbruptlyAsync();
        await Eventually.WaitUntilAsync(async () => (await cluster.ClientOf(1).GetStatusAsync(Canceled)).Findings.Any(static finding => finding.Code == "member-down"), "it is found");

        await cluster.ClientOf(1).RetireAsync(3, Canceled);

        await Eventually.WaitUntilAsync(async () => (await cluster.ClientOf(1).GetStatusAsync(Canceled)) is { Findings.Count: 0 } status && status.Members.Single(static member => member.NodeId == 3) is { Connection: "Retired", HasJoined: false }, "it is retired and no finding");
    }

    [Fact]
    public async Task Document_shows_which_node_wrote_each_property()
    {
        await using var cluster = await Fixture.StartAsync(2);
        await using var first = new EverythingContext(cluster[1]);
        var cake = Everything.Of(1);
        first.Things.Add(cake);
        await first.SaveChangesAsync(Consistency.All, Canceled);
        await using var second = new EverythingContext(cluster[2]);
        var found = (await second.Things.FindAsync([cake.Id], Canceled))!;
        found.Name = "Battenberg";
        found.Stock += 5;
        await second.SaveChangesAsync(Consistency.All, Canceled);

        var detail = (await cluster.ClientOf(1).GetDocumentAsync("Things", Fixture.Json($$"""{"$guid":"{{cake.Id}}"}"""), cancellationToken: Canceled))!;

        Assert.True(detail.Exists);
        Assert.Equal("Battenberg", detail.Document!.Value.GetProperty("Name").GetString());
        Assert.Equal(-4, detail.Document!.Value.GetProperty("Stock").GetInt64());
        Assert.Equal(2, detail.Cells.Single(static cell => cell.Property == "Name").NodeId);
        Assert.Equal(1, detail.Cells.Single(static cell => cell.Property == "Price").NodeId);
        Assert.Equal([(1, -9L), (2, 5L)], detail.Cells.Where(static cell => cell is { Property: "Stock", Kind: "CounterShare" })
            .Select(static cell => (cell.NodeId, cell.Value!.Value.GetInt64())).Order());
        Assert.Null(await cluster.ClientOf(1).GetDocumentAsync("Things", Fixture.Json("7"), cancellationToken: Canceled));
    }

    [Fact]
    public async Task Command_needs_the_operator_secret_and_is_logged_with_the_operator()
    {
        await using var cluster = await Fixture.StartAsync(1);
        var document = Fixture.Json("""{"Name":"Madeira"}""");

        var missing = await Assert.ThrowsAsync<AdministrationException>(() => cluster.ClientOf(1, secret: null).PutAsync("cakes", Fixture.Json("1"), document, Canceled));
        var wrong = await Assert.ThrowsAsync<AdministrationException>(() => cluster.ClientOf(1, "another secret, which is wrong").PutAsync("cakes", Fixture.Json("1"), document, Canceled));
        var list = await cluster.ClientOf(1, secret: null).ListKeyspacesAsync(Canceled);
        await cluster.ClientOf(1).PutAsync("cakes", Fixture.Json("1"), document, Canceled);

        Assert.Contains("--operator-secret-file", missing.Message, StringComparison.Ordinal);
        Assert.Contains("is wrong", wrong.Message, StringComparison.Ordinal);
        Assert.Empty(list);
        Assert.Equal(2, cluster.Log.Count("was refused"));
        Assert.True(cluster.Log.Contains("Operator Ada at"));
        Assert.True(cluster.Log.Contains("""called put ({"store":null,"keyspace":"cakes","key":1,"document":{"Name":"Madeira"}"""));
        Assert.False(cluster.Log.Contains(Fixture.Secret));
    }

    [Fact]
    public async Task Recorded_command_cannot_be_sent_again_or_changed()
    {
        await using var cluster = await Fixture.StartAsync(1);
        var channel = cluster[1].ChannelTo(cluster[1].Address);
        byte[] key = OperatorProof.DeriveKey(Fixture.Secret), challenge = (await CallAsync(AdministrationService.Challenge, [], Rpc.RpcHeaders.Empty)).ToArray();
        byte[] payload = "{\"keyspace\":\"cakes\",\"key\":1}"u8.ToArray();
        var headers = Rpc.RpcHeaders.Empty.With(AdministrationService.ChallengeHeader, Convert.ToHexString(challenge))
            .With(AdministrationService.ProofHeader, Convert.ToHexString(OperatorProof.Compute(key, challenge, AdministrationService.Delete, payload)));

        await CallAsync(AdministrationService.Delete, payload, headers);

        Assert.Equal(Rpc.RpcStatus.Unauthenticated, (await Assert.ThrowsAsync<Rpc.RpcException>(() => CallAsync(AdministrationService.Delete, payload, headers))).Status);
        challenge = await CallAsync(AdministrationService.Challenge, [], Rpc.RpcHeaders.Empty);
        headers = Rpc.RpcHeaders.Empty.With(AdministrationService.ChallengeHeader, Convert.ToHexString(challenge))
            .With(AdministrationService.ProofHeader, Convert.ToHexString(OperatorProof.Compute(key, challenge, AdministrationService.Delete, payload)));
        Assert.Equal(Rpc.RpcStatus.Unauthenticated, (await Assert.ThrowsAsync<Rpc.RpcException>(
            () => CallAsync(AdministrationService.Delete, "{\"keyspace\":\"cakes\",\"key\":2}"u8.ToArray(), headers))).Status);

        async Task<byte[]> CallAsync(string message, byte[] bytes, Rpc.RpcHeaders sent)
        {
            using var reply = await channel.CallAsync(AdministrationService.ServiceName, message, bytes, new Rpc.RpcCallOptions { Headers = sent }, Canceled);
            return reply.Span.ToArray();
        }
    }

    [Fact]
    public async Task Node_without_an_operator_secret_refuses_commands_and_says_how_to_set_one()
    {
        await using var cluster = await Fixture.StartAsync(1, static options => options.UseMemory().WithAdministration(static administration => administration.OperatorSecret = null));

        var refusal = await Assert.ThrowsAsync<AdministrationException>(() => cluster.ClientOf(1).CompactAsync(Canceled));

        Assert.False((await cluster.ClientOf(1).GetStatusAsync(Canceled)).AcceptsCommands);
        Assert.Contains("has no operator secret", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("OperatorSecret", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Documents_are_put_listed_in_parts_and_deleted()
    {
        await using var cluster = await Fixture.StartAsync(1);
        var client = cluster.ClientOf(1);
        foreach (string key in (string[])["1", "\"a\"", "[1,\"b\"]"])
            await client.PutAsync("cakes", Fixture.Json(key), Fixture.Json("""{"Name":"Madeira"}"""), Canceled);

        var first = await client.ListDocumentsAsync("cakes", count: 2, cancellationToken: Canceled);
        var rest = await client.ListDocumentsAsync("cakes", first.Next, count: 2, cancellationToken: Canceled);
        await client.DeleteAsync("cakes", Fixture.Json("1"), Canceled);
        var left = await client.ListDocumentsAsync("cakes", cancellationToken: Canceled);

        Assert.Equal(["1", "[1,\"b\"]", "\"a\""], first.Documents.Concat(rest.Documents).Select(static row => row.Key.GetRawText()));
        Assert.Null(rest.Next);
        Assert.Equal(2, left.Documents.Count);
    }

    [Fact]
    public async Task Store_is_backed_up_and_compacted_while_it_is_used()
    {
        string folder = Directory.CreateTempSubdirectory("datacake-administration-").FullName;
        await using (var cluster = await Fixture.StartAsync(1, options => options.UseSqlite(Path.Combine(folder, "cakes.db"))))
        {
            var client = cluster.ClientOf(1);
            await client.PutAsync("cakes", Fixture.Json("1"), Fixture.Json("""{"Name":"Madeira"}"""), Canceled);

            await client.BackUpAsync(Path.Combine(folder, "backup.db"), Canceled);
            var refusal = await Assert.ThrowsAsync<AdministrationException>(() => client.BackUpAsync(Path.Combine(folder, "backup.db"), Canceled));
            await client.CompactAsync(Canceled);

            Assert.True(File.Exists(Path.Combine(folder, "backup.db")));
            Assert.Contains("backup.db", refusal.Message, StringComparison.Ordinal);
            Assert.True((await client.GetStatusAsync(Canceled)).StorageBytes > 0);
            Assert.True((await client.VerifyAsync(Canceled)).IsSound);
        }
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public async Task Member_that_never_comes_back_is_retired()
    {
        await using var cluster = await Fixture.StartAsync(3);
        await cluster.StopAsync(3);

        var result = await cluster.ClientOf(1).RetireAsync(3, Canceled);

        Assert.Contains("Node 3 was retired", result.Message, StringComparison.Ordinal);
        await Eventually.WaitUntilAsync(async () => (await cluster.ClientOf(2).GetStatusAsync(Canceled)).Members.All(static member => member.NodeId != 3 || !member.HasJoined), "it counts no longer on node 2");
    }

    [Fact]
    public async Task Running_member_is_retired_only_if_the_request_says_that_it_is_running()
    {
        await using var cluster = await Fixture.StartAsync(3);
        var client = cluster.ClientOf(1);

        var refusal = await Assert.ThrowsAsync<AdministrationException>(() => client.RetireAsync(3, Canceled));
        var before = await client.GetStatusAsync(Canceled);
        var result = await client.RetireAsync(3, isRunning: true, Canceled);

        Assert.Contains("Node 3 was not retired, because it is running", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("--running", refusal.Message, StringComparison.Ordinal);
        Assert.True(before.Members.Single(static member => member.NodeId == 3).HasJoined);
        Assert.Contains("Node 3 was retired", result.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Changes_are_watched()
    {
        await using var cluster = await Fixture.StartAsync(1);
        var client = cluster.ClientOf(1);
        await client.PutAsync("cakes", Fixture.Json("0"), Fixture.Json("{}"), Canceled);
        await using var lines = client.WatchAsync("cakes", Canceled).GetAsyncEnumerator(Canceled);
        var next = lines.MoveNextAsync().AsTask();
        // A watch begins at some time after the call. Each put is another document until the first one is seen.
        for (int i = 1; !next.IsCompleted; i++)
            await client.PutAsync("cakes", Fixture.Json($"{i}"), Fixture.Json("""{"Name":"Madeira"}"""), Canceled);

        Assert.True(await next);
        Assert.Contains("""
            "node":1,"document":{"Name":"Madeira"}
            """.Trim(), System.Text.Encoding.UTF8.GetString(lines.Current.Span), StringComparison.Ordinal);
    }
}
