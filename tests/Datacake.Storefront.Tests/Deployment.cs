using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;

namespace Datacake.Storefront.Tests;

/// <summary>
/// The web application as processes, each with the environment of a container. The names of hosts become addresses on loopback, and the paths of volumes become folders.
/// </summary>
sealed class Deployment : IAsyncDisposable
{
    readonly ReservedAddresses _reserved = new();
    readonly string _root = Directory.CreateTempSubdirectory("storefront-").FullName;
    readonly IReadOnlyDictionary<string, string>[] _environments;
    readonly string[] _sites;
    readonly Process?[] _processes;
    readonly ConcurrentQueue<string>[] _logs;
    readonly HttpClient _http = new();

    /// <param name="environments">The environment of each container.</param>
    /// <param name="hosts">The name of each container in the network.</param>
    public Deployment(IReadOnlyList<IReadOnlyDictionary<string, string>> environments, IReadOnlyList<string> hosts)
    {
        string[] addresses = _reserved.Next(hosts.Count);
        _sites = _reserved.Next(hosts.Count);
        _processes = new Process?[hosts.Count];
        _logs = [.. hosts.Select(static _ => new ConcurrentQueue<string>())];
        _environments = [.. Enumerable.Range(0, hosts.Count).Select(node => Localize(node, environments[node], hosts, addresses))];
    }

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    /// <summary>Starts the process of a container.</summary>
    public void Start(int node)
    {
        string configuration = Path.GetFileName(Path.GetDirectoryName(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar)))!;
        string program = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, $"../../../../../samples/Storefront/Web/bin/{configuration}/net10.0/Storefront.Web.dll"));
        var start = new ProcessStartInfo("dotnet", [program]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in _environments[node])
            start.Environment[name] = value;
        var process = Process.Start(start)!;
        _processes[node] = process;
        process.OutputDataReceived += (_, line) => _logs[node].Enqueue(line.Data ?? "");
        process.ErrorDataReceived += (_, line) => _logs[node].Enqueue(line.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Waits until a path of a node answers with a status.</summary>
    public async Task WaitAsync(int node, string path, HttpStatusCode expected)
    {
        string found = "";
        await Eventually.WaitUntilAsync(async () =>
        {
            try
            {
                using var response = await _http.GetAsync(UriOf(node, path), Canceled);
                found = $"{response.StatusCode}: {await response.Content.ReadAsStringAsync(Canceled)}";
                return response.StatusCode == expected;
            }
            catch (HttpRequestException e)
            {
                found = e.Message;
                return false;
            }
        }, () => $"{path} of node {node + 1} answers {expected}, but it answers {found}\n{LogOf(node)}");
    }

    /// <summary>Adds an item to the catalog.</summary>
    public async Task AddToCatalogAsync(int node, string name)
    {
        using var response = await _http.PostAsJsonAsync(UriOf(node, "/catalog"), new { name, price = 12.5m }, Canceled);
        Assert.True(response.StatusCode == HttpStatusCode.Created, $"{response.StatusCode}\n{LogOf(node)}");
    }

    /// <summary>Returns the catalog as a node shows it.</summary>
    public Task<string> GetCatalogAsync(int node) => _http.GetStringAsync(UriOf(node, "/catalog"), Canceled);

    /// <summary>Sends SIGTERM to a process, and returns its exit code.</summary>
    public async Task<int> TerminateAsync(int node)
    {
        var process = _processes[node]!;
        using (var kill = Process.Start("kill", ["-s", "TERM", $"{process.Id}"]))
            await kill.WaitForExitAsync(Canceled);
        await process.WaitForExitAsync(Canceled).WaitAsync(Eventually.Deadline, Canceled);
        return process.ExitCode;
    }

    /// <summary>Returns the output of a process.</summary>
    public string LogOf(int node) => string.Join('\n', _logs[node]);

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes.OfType<Process>())
        {
            using (process)
            {
                if (!process.HasExited)
                    process.Kill();
                await process.WaitForExitAsync(CancellationToken.None);
            }
        }
        _http.Dispose();
        _reserved.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    Uri UriOf(int node, string path) => new($"http://{_sites[node]}{path}");

    Dictionary<string, string> Localize(int node, IReadOnlyDictionary<string, string> environment, IReadOnlyList<string> hosts, string[] addresses)
    {
        string root = Path.Combine(_root, $"{node}");
        var localized = new Dictionary<string, string>();
        foreach (var (name, value) in environment)
        {
            string local = value;
            for (int host = 0; host < hosts.Count; host++)
                local = local.Replace($"{hosts[host]}:7001", addresses[host], StringComparison.Ordinal);
            local = local.Replace("0.0.0.0:7001", addresses[node], StringComparison.Ordinal);
            localized[name] = local.StartsWith('/') ? root + local : local;
        }
        // The host name of a process is that of the machine.
        if (localized.Remove("Datacake__NodeIdFromHostName", out string? offset))
            localized["Datacake__NodeId"] = $"{node + int.Parse(offset, System.Globalization.CultureInfo.InvariantCulture)}";
        localized.Remove("ASPNETCORE_HTTP_PORTS");
        localized["ASPNETCORE_URLS"] = $"http://{_sites[node]}";
        foreach (var (name, path) in localized.Where(static variable => variable.Key.EndsWith("SecretFile", StringComparison.Ordinal)))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, $"the text in the file of {name}\n");
        }
        Directory.CreateDirectory(localized["Datacake__Backups__Folder"]);
        return localized;
    }
}
