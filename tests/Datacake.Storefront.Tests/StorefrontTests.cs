using System.Diagnostics;

namespace Datacake.Storefront.Tests;

/// <summary>The Storefront sample, which is one application over two libraries.</summary>
public class StorefrontTests
{
    static readonly string[] OwnFiles = ["Program.cs", "StorefrontContext.cs"];

    // The tests run below bin/Debug/net10.0, or bin/Release/net10.0.
    static readonly string Folder = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../samples/Storefront"));

    [Fact]
    public async Task Application_behaves_identically_with_either_library()
    {
        string[] withEntityFramework = await RunAsync("EntityFramework"), withDatacake = await RunAsync("Datacake");
        Assert.Equal(withEntityFramework, withDatacake);
        Assert.Equal("left in baskets: 0, 0", withDatacake[^1]);
        Assert.True(withDatacake.Length > 30, string.Join('\n', withDatacake));
    }

    [Fact]
    public void Only_the_context_and_the_startup_differ_by_as_many_lines_as_the_readme_says()
    {
        Assert.Equal(OwnFiles, SourcesOf("Datacake").Select(Path.GetFileName).Order());
        Assert.Equal(OwnFiles, SourcesOf("EntityFramework").Select(Path.GetFileName).Order());
        int shared = SourcesOf("Application").Sum(file => File.ReadAllLines(file).Length);
        int differing = OwnFiles.Sum(file => CountDiffering(
            File.ReadAllLines(Path.Combine(Folder, "EntityFramework", file)), File.ReadAllLines(Path.Combine(Folder, "Datacake", file))));
        string said = $"{shared} lines are shared; {differing} lines differ";
        TestContext.Current.TestOutputHelper?.WriteLine(said);
        Assert.Contains(said, File.ReadAllText(Path.Combine(Folder, "README.md")), StringComparison.Ordinal);
    }

    static IEnumerable<string> SourcesOf(string part) => Directory.EnumerateFiles(Path.Combine(Folder, part), "*.cs", SearchOption.AllDirectories)
        .Where(file => !file.Split(Path.DirectorySeparatorChar).Any(folder => folder is "bin" or "obj"));

    /// <summary>Counts the lines that a diff shows: the lines of either file that are not in the longest common subsequence.</summary>
    static int CountDiffering(string[] before, string[] after)
    {
        int[,] common = new int[before.Length + 1, after.Length + 1];
        for (int i = before.Length - 1; i >= 0; i--)
        {
            for (int j = after.Length - 1; j >= 0; j--)
                common[i, j] = before[i] == after[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
        }
        return before.Length + after.Length - (2 * common[0, 0]);
    }

    static async Task<string[]> RunAsync(string library)
    {
        string folder = Directory.CreateTempSubdirectory("storefront-").FullName;
        try
        {
            string configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)))!;
            string program = Path.Combine(Folder, library, "bin", configuration, "net10.0", $"Storefront.{library}.dll");
            var start = new ProcessStartInfo("dotnet", [program, Path.Combine(folder, "shop.db")]) { RedirectStandardOutput = true, RedirectStandardError = true };
            using var process = Process.Start(start)!;
            var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
            await process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(TimeSpan.FromMinutes(2), TestContext.Current.CancellationToken);
            Assert.True(process.ExitCode == 0, await errors);
            return (await output).ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
