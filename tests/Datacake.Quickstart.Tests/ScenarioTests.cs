namespace Datacake.Quickstart.Tests;

public sealed class ScenarioTests
{
    public static TheoryData<string> Storages => ["sqlite", "memory"];

    [Theory]
    [MemberData(nameof(Storages))]
    public async Task All_claims_of_the_story_are_true(string storage)
    {
        using var folder = new TemporaryFolder();
        using var output = new StringWriter();
        await Scenario.RunAsync(Options.Parse(["--storage", storage]), folder.Path, new Transcript(output, TimeProvider.System));

        string transcript = output.ToString();
        Assert.Contains("Japan has both edits", transcript, StringComparison.Ordinal);
        Assert.Contains("Kenya has 7 visits", transcript, StringComparison.Ordinal);
        Assert.Contains("NotEnoughNodesException", transcript, StringComparison.Ordinal);
        Assert.EndsWith(" s.", transcript.TrimEnd(), StringComparison.Ordinal);
        Assert.Equal(storage == "sqlite" ? Cluster.Size : 0, Directory.GetFiles(folder.Path, "node-*.db").Length);
    }

    [Fact]
    public async Task Story_does_not_start_with_the_data_of_an_earlier_run()
    {
        using var folder = new TemporaryFolder();
        string file = Path.Combine(folder.Path, "node-1.db");
        await File.WriteAllTextAsync(file, "somebody's data", TestContext.Current.CancellationToken);
        using var output = new StringWriter();

        var failure = await Assert.ThrowsAsync<ClaimFailedException>(
            () => Scenario.RunAsync(new Options(), folder.Path, new Transcript(output, TimeProvider.System)));
        Assert.Contains(folder.Path, failure.Message, StringComparison.Ordinal);
        Assert.Equal("somebody's data", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Story_runs_without_cultures_and_time_zones()
    {
        await using var process = QuickstartProcess.Start([], new Dictionary<string, string>
        {
            ["DOTNET_SYSTEM_GLOBALIZATION_INVARIANT"] = "1",
            ["TZDIR"] = "/nonexistent",
        });
        Assert.True(await process.EndAsync() == 0, process.Output);
        Assert.Contains("globalization-invariant", process.Output, StringComparison.Ordinal);
        Assert.Contains("Kenya has 7 visits", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invalid_option_ends_the_process_with_an_error_that_names_it()
    {
        await using var process = QuickstartProcess.Start(["--storage", "paper"]);
        Assert.Equal(2, await process.EndAsync());
        Assert.Contains("'paper'", process.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Help_lists_the_options()
    {
        await using var process = QuickstartProcess.Start(["--help"]);
        Assert.Equal(0, await process.EndAsync());
        foreach (string option in (string[])["--storage", "--data", "--node", "--listen", "--seeds"])
            Assert.Contains(option, process.Output, StringComparison.Ordinal);
    }
}
