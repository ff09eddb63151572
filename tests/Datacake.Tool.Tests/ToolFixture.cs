using Datacake.Administration;
using Datacake.Node;
using Datacake.Storage;
using Datacake.Tool.Terminal;

namespace Datacake.Tool.Tests;

/// <summary>Nodes in this process, and the tool with their address and operator secret.</summary>
sealed class ToolFixture : IAsyncDisposable
{
    readonly string _secretFile;
    readonly AdministrationClient _client;

    ToolFixture(string folder, Fixture cluster)
    {
        Folder = folder;
        Cluster = cluster;
        _client = cluster.ClientOf(1);
        _secretFile = PathOf("operator-secret");
        File.WriteAllText(_secretFile, Fixture.Secret + "\n");
    }

    /// <summary>Gets a folder for files.</summary>
    public string Folder { get; }

    public Fixture Cluster { get; }

    public static Task<ToolFixture> StartAsync(int count = 1) => StartAsync(count, static (_, options) => options.UseMemory());

    public static async Task<ToolFixture> StartAsync(int count, Action<string, DatacakeNodeOptions> configure)
    {
        string folder = Directory.CreateTempSubdirectory("datacake-tool-").FullName;
        return new ToolFixture(folder, await Fixture.StartAsync(count, options => configure(folder, options)));
    }

    /// <summary>Returns the path of a file in the folder.</summary>
    public string PathOf(string name) => Path.Combine(Folder, name);

    /// <summary>Gets the variables that connect the tool to node 1 as an operator.</summary>
    public Dictionary<string, string> Environment => new()
    {
        ["DATACAKE_CONNECT"] = Cluster[1].Address,
        ["DATACAKE_OPERATOR_SECRET_FILE"] = _secretFile,
    };

    /// <summary>Runs the tool against node 1.</summary>
    public Task<ToolRun> RunAsync(params string[] arguments) => ToolRun.RunAsync(Environment, arguments);

    /// <summary>Runs the tool against node 1, and returns the JSON that it writes.</summary>
    public async Task<ToolRun> RunGoodAsync(params string[] arguments)
    {
        var run = await RunAsync([.. arguments, "--json"]);
        Assert.True(run.ExitCode == ExitCode.Good, $"{run.ExitCode}: {run.Messages}{run.Values}");
        return run;
    }

    /// <summary>Puts a document on node 1.</summary>
    public Task PutAsync(string keyspace, string key, string document) => _client.PutAsync(keyspace, Fixture.Json(key), Fixture.Json(document), TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await Cluster.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
