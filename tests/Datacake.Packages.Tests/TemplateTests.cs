using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using System.Xml.Linq;
using Datacake.Tests;

namespace Datacake.Packages.Tests;

/// <summary>Applications are created from the templates, built, tested, and started on three nodes.</summary>
public class TemplateTests(PackageFeed feed)
{
    static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Web_application_runs_on_three_nodes_and_passes_its_tests()
    {
        string folder = await CreateAsync("datacake-web", "Bakery");
        Assert.Contains("total: 3", await TestAsync(folder, "Bakery"), StringComparison.OrdinalIgnoreCase);

        await using var nodes = new Nodes(folder, "Bakery");
        using var client = new HttpClient();
        await Eventually.WaitUntilAsync(async () => await AllAsync(nodes.Urls, async url => await client.GetStringAsync($"{url}/health", Cancellation) == "Healthy"), () => $"all nodes are healthy:\n{nodes.Output}");
        using var added = await client.PostAsJsonAsync($"{nodes.Urls[0]}/products", new { Name = "Battenberg", Price = 12, Stock = 1 }, Cancellation);
        Assert.True(added.IsSuccessStatusCode, nodes.Output);
        await Eventually.WaitUntilAsync(
            async () => await AllAsync(nodes.Urls, async url => (await client.GetStringAsync($"{url}/products", Cancellation)).Contains("Battenberg", StringComparison.Ordinal)), "all nodes have the product");
        Assert.Contains("Datacake", await client.GetStringAsync($"{nodes.Urls[2]}/datacake", Cancellation), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Worker_works_on_one_of_three_nodes_and_passes_its_tests()
    {
        string folder = await CreateAsync("datacake-worker", "Post");
        Assert.Contains("total: 1", await TestAsync(folder, "Post"), StringComparison.OrdinalIgnoreCase);

        await using var nodes = new Nodes(folder, "Post");
        await Eventually.WaitUntilAsync(() => nodes.Output.Contains("Sent 0 letters.", StringComparison.Ordinal), () => $"a node works:\n{nodes.Output}");
    }

    [Fact]
    public void Templates_use_the_same_versions_of_other_packages_as_the_repository()
    {
        var ours = VersionsIn(Path.Combine(Repository.Root, "Directory.Packages.props"));
        string[] files = Directory.GetFiles(Path.Combine(Repository.Root, "src", "Datacake.Templates", "templates"), "Directory.Packages.props", SearchOption.AllDirectories);

        Assert.Equal(2, files.Length);
        Assert.All(files.SelectMany(VersionsIn), package => Assert.Equal(ours.GetValueOrDefault(package.Key, package.Value), package.Value));

        static Dictionary<string, string> VersionsIn(string file) => XDocument.Load(file).Descendants("PackageVersion")
            .ToDictionary(static package => package.Attribute("Include")!.Value, static package => package.Attribute("Version")!.Value);
    }

    /// <summary>Installs the templates from the feed, apart from those of the machine, and creates an application.</summary>
    async Task<string> CreateAsync(string template, string name)
    {
        string home = Path.Combine(feed.Folder, "templates"), folder = Path.Combine(home, name);
        Directory.CreateDirectory(home);
        foreach (string[] command in (string[][])[["new", "install", Path.Combine(feed.Path, $"Datacake.Templates.{feed.Version}.nupkg")], ["new", template, "-o", folder]])
        {
            var (exitCode, output) = await DotnetCommand.RunAsync(home, new Dictionary<string, string>(), Cancellation, [.. command, "--debug:custom-hive", Path.Combine(home, $"hive-{name}")]);
            Assert.True(exitCode == 0, output);
        }
        feed.Configure(folder);
        await feed.BuildAsync(folder);
        return folder;
    }

    static async Task<string> TestAsync(string folder, string name)
    {
        var (exitCode, output) = await DotnetCommand.RunAsync(folder, new Dictionary<string, string>(), Cancellation, "test", "--solution", $"{name}.slnx", "--no-build", "--no-progress", "--no-ansi");
        Assert.True(exitCode == 0, output);
        return output;
    }

    /// <summary>Returns true if a condition holds for all addresses. One that does not answer yet does not fulfill it.</summary>
    static async Task<bool> AllAsync(IEnumerable<string> urls, Func<string, Task<bool>> condition)
    {
        try
        {
            foreach (string url in urls)
            {
                if (!await condition(url))
                    return false;
            }
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Three processes with the launch profiles of an application, but at free ports.</summary>
    sealed class Nodes : IAsyncDisposable
    {
        readonly ReservedAddresses _addresses = new();
        readonly List<Process> _processes = [];
        readonly List<string> _output = [];     // locked

        public Nodes(string folder, string name)
        {
            string project = Path.Combine(folder, name);
            var profiles = JsonNode.Parse(File.ReadAllText(Path.Combine(project, "Properties", "launchSettings.json")))!["profiles"]!.AsObject();
            Assert.Equal(3, profiles.Count);
            string[] listening = _addresses.Next(profiles.Count);
            Urls = [.. _addresses.Next(profiles.Count).Select(static address => $"http://{address}")];
            for (int i = 0; i < profiles.Count; i++)
            {
                var start = new ProcessStartInfo("dotnet", [Path.Combine(project, "bin", "Debug", "net10.0", $"{name}.dll")]) { WorkingDirectory = project, RedirectStandardOutput = true, RedirectStandardError = true };
                foreach (var (variable, value) in profiles[$"node{i + 1}"]!["environmentVariables"]!.AsObject())
                    start.Environment[variable] = value!.GetValue<string>();
                start.Environment["Datacake__ListenOn"] = listening[i];
                for (int seed = 0; seed < listening.Length; seed++)
                    start.Environment[$"Datacake__Seeds__{seed}"] = listening[seed];
                start.Environment["ASPNETCORE_URLS"] = Urls[i];
                var process = Process.Start(start)!;
                process.OutputDataReceived += (_, line) => Note(line.Data);
                process.ErrorDataReceived += (_, line) => Note(line.Data);
                process.BeginOutputReadLine();
                process.BeginErrorReadLine();
                _processes.Add(process);
            }
        }

        public string[] Urls { get; }

        public string Output
        {
            get
            {
                lock (_output)
                    return string.Join('\n', _output);
            }
        }

        public async ValueTask DisposeAsync()
        {
            foreach (var process in _processes)
            {
                process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
                process.Dispose();
            }
            _addresses.Dispose();
        }

        void Note(string? line)
        {
            lock (_output)
                _output.Add(line ?? "");
        }
    }
}
