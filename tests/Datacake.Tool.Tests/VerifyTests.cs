using Datacake.Tool.Terminal;

namespace Datacake.Tool.Tests;

/// <summary>The comparison of nodes.</summary>
public class VerifyTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Members_with_the_same_documents_are_equal()
    {
        await using var fixture = await ToolFixture.StartAsync(3);
        for (int i = 0; i < 10; i++)
            await fixture.PutAsync("Cakes", $"{i}", """{"Name":"Madeira"}""");
        await Eventually.WaitUntilAsync(async () => (await Task.WhenAll(Enumerable.Range(1, 3).Select(async id =>
            (await fixture.Cluster.ClientOf(id).ListKeyspacesAsync(Canceled)).SingleOrDefault()?.Fingerprint))).Distinct().Count() == 1, "all have the same");

        var verified = (await fixture.RunGoodAsync("verify")).Json;

        Assert.Equal(2, verified.GetProperty("compared").GetArrayLength());
        Assert.True(verified.GetProperty("isSound").GetBoolean());
        Assert.Equal(10, verified.GetProperty("store").GetProperty("documents").GetInt64());
    }

    [Fact]
    public async Task Documents_that_differ_are_named()
    {
        await using var fixture = await ToolFixture.StartAsync();
        await using var other = await ToolFixture.StartAsync();
        await fixture.PutAsync("Equal", "1", "{}");
        await fixture.RunGoodAsync("delete", "Equal", "1");
        for (int i = 0; i < 300; i += i < 150 ? 1 : 2)
            await fixture.PutAsync("Cakes", $"{i}", "{}");
        await fixture.PutAsync("Pies", "1", "{}");
        await other.PutAsync("Pies", "1", "{}");
        await other.PutAsync("Pies", "\"rhubarb\"", "{}");

        var verified = await fixture.RunAsync("verify", "--with", other.Cluster[1].Address, "--pause", "0", "--json");

        Assert.Equal(ExitCode.Findings, verified.ExitCode);
        var cakes = verified.Json.GetProperty("differences")[0];
        Assert.Equal(("Cakes", 225L, 100), (cakes.GetProperty("keyspace").GetString(), cakes.GetProperty("differing").GetInt64(), cakes.GetProperty("documents").GetArrayLength()));
        Assert.All(cakes.GetProperty("documents").EnumerateArray(), static document => Assert.Equal("Missing", document.GetProperty("difference").GetString()));
        Assert.Equal(
            [("1", "Different"), ("\"rhubarb\"", "Additional")],
            verified.Json.GetProperty("differences")[1].GetProperty("documents").EnumerateArray()
                .Select(static document => (document.GetProperty("key").GetRawText(), document.GetProperty("difference").GetString()!)));
    }

    [Fact]
    public async Task Document_that_changes_during_the_comparison_is_left_out()
    {
        await using var fixture = await ToolFixture.StartAsync();
        await using var other = await ToolFixture.StartAsync();
        await fixture.PutAsync("Cakes", "1", "{}");
        await fixture.PutAsync("Cakes", "2", "{}");
        var verifying = fixture.RunAsync("verify", "--with", other.Cluster[1].Address, "--pause", "1", "--json");
        while (!verifying.IsCompleted)
            await fixture.PutAsync("Cakes", "2", "{}");

        var differences = (await verifying).Json.GetProperty("differences");

        Assert.Equal("1", differences[0].GetProperty("documents").EnumerateArray().Single().GetProperty("key").GetRawText());
    }

    [Fact]
    public async Task Member_that_cannot_be_compared_is_named()
    {
        await using var fixture = await ToolFixture.StartAsync(2);
        string address = fixture.Cluster[2].Address;
        await fixture.Cluster.StopAsync(2);

        var verified = await fixture.RunAsync("verify", "--json");

        Assert.Equal(ExitCode.Findings, verified.ExitCode);
        Assert.Contains(address, verified.Json.GetProperty("unreachable")[0].GetString(), StringComparison.Ordinal);
    }
}
