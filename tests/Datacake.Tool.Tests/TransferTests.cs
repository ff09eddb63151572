using System.Globalization;
using Datacake.Sqlite;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Tests;

/// <summary>Export and import of files.</summary>
public class TransferTests
{
    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    /// <summary>The number of documents; 1,000,000 is the measurement, run by hand.</summary>
    static readonly int Count = int.Parse(Environment.GetEnvironmentVariable("DATACAKE_TRANSFER_DOCUMENTS") ?? "20000", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Documents_are_the_same_after_an_import_and_an_export()
    {
        await using var fixture = await ToolFixture.StartAsync(1, static (folder, options) => options.UseSqlite(Path.Combine(folder, "cakes.db")));
        string source = fixture.PathOf("source.jsonl"), target = fixture.PathOf("target.jsonl");
        File.WriteAllLines(source, Enumerable.Range(0, Count).Select(LineOf));

        var imported = (await fixture.RunGoodAsync("import", "Cakes", source)).Json;
        var exported = (await fixture.RunGoodAsync("export", "Cakes", target)).Json;

        TestContext.Current.SendDiagnosticMessage(
            $"import {imported.GetProperty("documentsPerSecond").GetDouble():0}/s, export {exported.GetProperty("documentsPerSecond").GetDouble():0}/s");
        Assert.Equal(Count, imported.GetProperty("documents").GetInt64());
        Assert.Equal(Count, exported.GetProperty("documents").GetInt64());
        Assert.True(File.ReadLines(source).SequenceEqual(File.ReadLines(target)));
        Assert.Equal(["cakes.db", "cakes.db-shm", "cakes.db-wal", "cakes.db.lock", "operator-secret", "source.jsonl", "target.jsonl"],
            Directory.EnumerateFiles(fixture.Folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Import_names_the_line_of_an_error_and_resumes_after_it_is_corrected()
    {
        await using var fixture = await ToolFixture.StartAsync();
        string file = fixture.PathOf("cakes.jsonl");
        string[] lines = [.. Enumerable.Range(0, 5_000).Select(LineOf)];
        lines[4_000] = new string('x', lines[4_000].Length);
        File.WriteAllLines(file, lines);

        var failed = await fixture.RunAsync("import", "Cakes", file, "--json");
        long stored = (await fixture.Cluster.ClientOf(1).ListKeyspacesAsync(Canceled)).Single().Documents;
        lines[4_000] = LineOf(4_000);
        File.WriteAllLines(file, lines);
        var resumed = (await fixture.RunGoodAsync("import", "Cakes", file, "--resume")).Json;
        var again = await fixture.RunAsync("import", "Cakes", file, "--resume");

        Assert.Equal(ExitCode.Failed, failed.ExitCode);
        Assert.Contains("Line 4001 ", failed.Messages, StringComparison.Ordinal);
        Assert.InRange(stored, 1, 4_000);
        Assert.InRange(resumed.GetProperty("documents").GetInt64(), 1_000, 4_999);
        Assert.Equal(5_000, (await fixture.Cluster.ClientOf(1).ListKeyspacesAsync(Canceled)).Single().Documents);
        Assert.Equal(ExitCode.Usage, again.ExitCode);
        Assert.Contains("nothing to resume", again.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Resumed_import_names_the_line_of_the_file()
    {
        await using var fixture = await ToolFixture.StartAsync();
        string file = fixture.PathOf("cakes.jsonl");
        string[] lines = [.. Enumerable.Range(0, 5_000).Select(LineOf)];
        lines[4_000] = "{}";
        File.WriteAllLines(file, lines);

        await fixture.RunAsync("import", "Cakes", file);
        var resumed = await fixture.RunAsync("import", "Cakes", file, "--resume");

        Assert.Contains("Line 4001 ", resumed.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Export_continues_after_the_last_whole_line()
    {
        await using var fixture = await ToolFixture.StartAsync();
        string[] lines = [.. Enumerable.Range(0, 100).Select(LineOf)];
        string source = fixture.PathOf("source.jsonl"), file = fixture.PathOf("cakes.jsonl");
        File.WriteAllLines(source, lines);
        await fixture.RunGoodAsync("import", "Cakes", source);
        File.WriteAllText(file + ".part", string.Join('\n', lines[..40]) + "\n" + lines[40][..5]);

        var refused = await fixture.RunAsync("export", "Cakes", file);
        var resumed = (await fixture.RunGoodAsync("export", "Cakes", file, "--resume")).Json;

        Assert.Contains("--resume", refused.Messages, StringComparison.Ordinal);
        Assert.Equal(60, resumed.GetProperty("documents").GetInt64());
        Assert.Equal(lines, File.ReadAllLines(file));
    }

    [Fact]
    public async Task CSV_with_types_keeps_every_value()
    {
        await using var fixture = await ToolFixture.StartAsync();
        string source = fixture.PathOf("source.jsonl"), csv = fixture.PathOf("cakes.csv"), target = fixture.PathOf("target.jsonl");
        string[] lines =
        [
            """{"key":1,"document":{"Name":"Madeira, \"large\"\nsecond line","Price":{"$decimal":"12.50"},"Tags":{"$set":["a","b"]},"Stock":{"$counter":3},"Sold":true}}""",
            """{"key":2,"document":{"Name":"7","Price":{"$decimal":"1"},"Note":null,"Ratio":2.0}}""",
            """{"key":3,"document":{"Name":"","Any":"true","Prices":{"$dictionary":[[1,{"$decimal":"2.5"}]]}}}""",
            """{"key":[1,"a"],"document":{"Name":"\"quoted\"","Any":[1,{"a":"b"}],"Id":{"$guid":"6f9619ff-8b86-d011-b42d-00cf4fc964ff"}}}""",
        ];
        File.WriteAllLines(source, lines);
        await fixture.RunGoodAsync("import", "Cakes", source);

        await fixture.RunGoodAsync("export", "Cakes", csv, "--types");
        await fixture.RunGoodAsync("import", "Copies", csv);
        await fixture.RunGoodAsync("export", "Cakes", fixture.PathOf("expected.jsonl"));
        await fixture.RunGoodAsync("export", "Copies", target);

        Assert.Contains("Price:decimal", File.ReadAllText(csv), StringComparison.Ordinal);
        Assert.Equal(File.ReadAllLines(fixture.PathOf("expected.jsonl")), File.ReadAllLines(target));
        Assert.Equal(4, File.ReadLines(target).Count());
    }

    [Fact]
    public async Task Plain_CSV_loses_types_and_names_the_line_of_an_error()
    {
        await using var fixture = await ToolFixture.StartAsync();
        await fixture.PutAsync("Cakes", "1", """{"Name":"Madeira","Price":{"$decimal":"12.50"}}""");
        string csv = fixture.PathOf("cakes.csv"), broken = fixture.PathOf("broken.csv");
        File.WriteAllText(broken, "$key,Name\n1,\"two\nlines\"\n,Madeira\n");

        await fixture.RunGoodAsync("export", "Cakes", csv);
        await fixture.RunGoodAsync("import", "Copies", csv);
        var copy = (await fixture.RunGoodAsync("get", "Copies", "1", "--exact")).Json;
        var failed = await fixture.RunAsync("import", "Copies", broken);

        Assert.Equal("$key,Name,Price\n1,Madeira,12.50\n", File.ReadAllText(csv).ReplaceLineEndings("\n"));
        Assert.Equal("""{"Name":"Madeira","Price":12.5}""", copy.GetProperty("document").GetRawText());
        Assert.Equal(ExitCode.Failed, failed.ExitCode);
        Assert.Contains("Line 4 ", failed.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Format_that_is_not_known_is_refused()
    {
        await using var fixture = await ToolFixture.StartAsync();

        var refused = await fixture.RunAsync("export", "Cakes", fixture.PathOf("cakes.xlsx"));

        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.Contains(".jsonl", refused.Messages, StringComparison.Ordinal);
    }

    /// <summary>Returns a line as the store exports it, with the properties in the order of their paths.</summary>
    static string LineOf(int i) => string.Create(CultureInfo.InvariantCulture,
        $$$"""{"key":{{{i}}},"document":{"Name":"Cake {{{i}}}","Price":{"$decimal":"{{{i % 100}}}.50"},"IsSold":{{{(i % 2 == 0 ? "true" : "false")}}},"Weight":{{{i}}},"Category":"category {{{i % 10}}}"}}""");
}
