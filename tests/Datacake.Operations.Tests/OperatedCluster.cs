using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Datacake.Administration;
using Datacake.Rpc;

namespace Datacake.Operations.Tests;

/// <summary>
/// Three machines with a node each, and a fourth one that is prepared. A machine is a folder, and a node is a process. The commands of the guide find the programs of
/// the folder Machine in place of ssh and systemctl.
/// </summary>
sealed class OperatedCluster : IAsyncDisposable
{
    public const string Keyspace = "Cakes";

    const int Machines = 4, StartedNodes = 3;

    static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    readonly ReservedAddresses _reserved = new();
    readonly string _root = Directory.CreateTempSubdirectory("datacake-operations-").FullName;
    readonly string[] _addresses;
    readonly string[] _sites;
    readonly Dictionary<string, string> _variables = [];
    readonly HttpClient _http = new();

    OperatedCluster()
    {
        _addresses = _reserved.Next(Machines);
        _sites = _reserved.Next(Machines);
        Directory.CreateDirectory(OperatorFolder);
        Directory.CreateDirectory(Backups);
        for (int node = 1; node <= Machines; node++)
        {
            _variables[$"NODE{node}"] = _addresses[node - 1];
            _variables[$"HOST{node}"] = $"machine{node}";
        }
        (_variables["DATA"], _variables["CONFIG"], _variables["BACKUPS"]) = ("data", "etc", Backups);
        _variables["DATACAKE_SECRET_FILE"] = Path.Combine(OperatorFolder, "secret");
        _variables["DATACAKE_OPERATOR_SECRET_FILE"] = Path.Combine(OperatorFolder, "operator-secret");
        File.WriteAllText(_variables["DATACAKE_SECRET_FILE"], "the secret of the cluster\n");
        File.WriteAllText(_variables["DATACAKE_OPERATOR_SECRET_FILE"], "the secret of the operators\n");
    }

    static CancellationToken Canceled => TestContext.Current.CancellationToken;

    /// <summary>Gets the names of the variables that stand for the cluster in the guide.</summary>
    public IEnumerable<string> Variables => _variables.Keys;

    /// <summary>Gets the folder for backups.</summary>
    public string Backups => Path.Combine(_root, "backups");

    /// <summary>Gets the folder from which the operator works.</summary>
    public string OperatorFolder => Path.Combine(_root, "operator");

    /// <summary>Gets or sets the settings of TLS for the clients of this test; null without TLS.</summary>
    public RpcTls? Tls { get; init; }

    /// <summary>Returns the path of a file on a machine.</summary>
    public string PathOf(int node, params string[] parts) => Path.Combine([_root, $"machine{node}", .. parts]);

    /// <summary>Creates the machines, without nodes.</summary>
    public static OperatedCluster Create() => new();

    public static Task<OperatedCluster> StartAsync(params string[] settings) => StartAsync(null, _ => Task.CompletedTask, settings);

    /// <summary>Starts three nodes.</summary>
    /// <param name="tls">The settings of TLS for clients, or null.</param>
    /// <param name="prepare">Prepares the machines before the nodes start.</param>
    /// <param name="settings">Further settings of all nodes, such as <c>Datacake__Store__ExpectedNodes=3</c>.</param>
    public static async Task<OperatedCluster> StartAsync(RpcTls? tls, Func<OperatedCluster, Task> prepare, params string[] settings)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The commands of the guide need bash and the process file system of Linux.");
        var cluster = new OperatedCluster { Tls = tls };
        try
        {
            for (int node = 1; node <= Machines; node++)
                cluster.Prepare(node, settings);
            await prepare(cluster);
            for (int node = 1; node <= StartedNodes; node++)
                await cluster.SystemctlAsync(node, "start");
            await cluster.WaitUntilHealthyAsync(1, 2, 3);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Adds a line to the settings of a node. The node reads them when it starts.</summary>
    public void Configure(int node, string setting) => File.AppendAllText(PathOf(node, "etc", "shop.env"), setting + "\n");

    /// <summary>Returns the settings of a node.</summary>
    public string SettingsOf(int node) => File.ReadAllText(PathOf(node, "etc", "shop.env"));

    /// <summary>Starts, stops, restarts or kills a node.</summary>
    public Task SystemctlAsync(int node, string verb) => BashAsync($"ssh machine{node} systemctl {verb} shop");

    /// <summary>Runs the commands of a procedure, and checks that each of its steps shows what the guide says.</summary>
    public async Task RunAsync(string procedure)
    {
        var steps = Guide.StepsOf(procedure);
        const string Mark = "---- step ";
        var script = new StringBuilder("set -eu\n").AppendLine(Guide.Functions);
        foreach (var step in steps)
            script.AppendLine(CultureInfo.InvariantCulture, $"echo '{Mark}'").AppendLine(step.Commands);
        string output = await BashAsync(script.ToString());
        string[] outputs = output.Split(Mark)[1..];
        Assert.Equal(steps.Count, outputs.Length);
        for (int i = 0; i < steps.Count; i++)
        {
            Assert.NotEmpty(steps[i].Expected);
            Assert.All(steps[i].Expected, expected => Assert.True(outputs[i].Contains(expected, StringComparison.Ordinal), $"Step {i + 1} of '{procedure}' did not show '{expected}', but:\n{outputs[i]}"));
        }
    }

    /// <summary>Runs a script on the machine of the operator, and returns everything that it writes.</summary>
    public async Task<string> BashAsync(string script)
    {
        var start = new ProcessStartInfo("bash", ["-c", script]) { WorkingDirectory = OperatorFolder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in _variables)
            start.Environment[name] = value;
        start.Environment["PATH"] = $"{Path.Combine(AppContext.BaseDirectory, "Machine")}:{start.Environment["PATH"]}";
        start.Environment["OPERATIONS_MACHINES"] = _root;
        start.Environment["OPERATIONS_TOOL"] = Path.Combine(AppContext.BaseDirectory, "Datacake.Tool.dll");
        start.Environment["OPERATIONS_HOST"] = HostProgram;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = new StringBuilder();
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Canceled);
        deadline.CancelAfter(Deadline);
        var reading = Task.WhenAll(ReadAsync(process.StandardOutput), ReadAsync(process.StandardError));
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            await reading.WaitAsync(deadline.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: false);
            Assert.Fail($"The commands did not end:\n{script}\n{output}\n{Logs}");
        }
        Assert.True(process.ExitCode == 0, $"Exit code {process.ExitCode}:\n{script}\n{output}\n{Logs}");
        return output.ToString();

        async Task ReadAsync(StreamReader reader)
        {
            while (await reader.ReadLineAsync(deadline.Token) is { } line)
            {
                lock (output)
                    output.AppendLine(line);
            }
        }
    }

    /// <summary>Calls the administration of a node.</summary>
    public async Task<TResult> CallAsync<TResult>(int node, Func<AdministrationClient, Task<TResult>> call)
    {
        await using var channel = new RpcChannel(_addresses[node - 1], options =>
        {
            options.ClusterSecret = File.ReadAllText(_variables["DATACAKE_SECRET_FILE"]).Trim();
            options.Tls = Tls;
        });
        return await call(new AdministrationClient(channel, options => options.OperatorSecret = File.ReadAllText(_variables["DATACAKE_OPERATOR_SECRET_FILE"]).Trim()));
    }

    /// <summary>Puts documents with the keys from one number to another.</summary>
    public Task PutAsync(int node, int first, int last, int length = 10) => CallAsync(node, async client =>
    {
        for (int key = first; key <= last; key++)
            await client.PutAsync(Keyspace, JsonElement.Parse($"{key}"), JsonElement.Parse($$"""{"Name":"Cake {{key}}","Recipe":"{{new string('x', length)}}"}"""), Canceled);
        return last;
    });

    /// <summary>Waits until nodes have exactly the documents with the keys from 1 on.</summary>
    public async Task WaitForDocumentsAsync(int count, params int[] nodes)
    {
        foreach (int node in nodes)
        {
            string found = "";
            await Eventually.WaitUntilAsync(async () =>
            {
                try
                {
                    var list = await CallAsync(node, client => client.ListDocumentsAsync(Keyspace, count: 1_000, cancellationToken: Canceled));
                    found = string.Join(",", list.Documents.Select(static row => row.Key.GetRawText()));
                }
                catch (AdministrationException e)
                {
                    found = e.Message;
                }
                return found == string.Join(",", Enumerable.Range(1, count));
            }, () => $"node {node} has {count} documents, but it has {found}");
        }
    }

    /// <summary>Waits until nodes are healthy, which means that each is in session with all members that are not retired.</summary>
    public async Task WaitUntilHealthyAsync(params int[] nodes)
    {
        foreach (int node in nodes)
            await WaitForHealthAsync(node, "Healthy");
    }

    /// <summary>Waits until the health of a node is <c>Healthy</c>, <c>Degraded</c> or <c>Unhealthy</c>.</summary>
    public async Task WaitForHealthAsync(int node, string expected)
    {
        string health = "";
        await Eventually.WaitUntilAsync(async () => (health = await HealthAsync(node)) == expected, () => $"node {node} is {expected}, but it is {health}\n{Logs}");
    }

    /// <summary>Waits until a node has a finding.</summary>
    public Task WaitForFindingAsync(int node, string code) => Eventually.WaitUntilAsync(async () =>
    {
        try
        {
            return (await CallAsync(node, client => client.GetStatusAsync(Canceled))).Findings.Any(finding => finding.Code == code);
        }
        catch (AdministrationException)
        {
            return false;
        }
    }, $"node {node} has the finding {code}");

    public async ValueTask DisposeAsync()
    {
        for (int node = 1; node <= Machines; node++)
        {
            if (File.Exists(PathOf(node, "pid")) && FindProcess(PathOf(node, "pid")) is { } process)
            {
                using (process)
                {
                    process.Kill();
                    await process.WaitForExitAsync(CancellationToken.None);
                }
            }
        }
        _http.Dispose();
        _reserved.Dispose();
        Directory.Delete(_root, recursive: true);
    }

    static string HostProgram
    {
        get
        {
            // tests/Datacake.Operations.Tests/bin/Debug/net10.0
            var output = new DirectoryInfo(AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar));
            return Path.Combine(output.Parent!.Parent!.Parent!.Parent!.FullName, "Datacake.Operations.Host", "bin", output.Parent.Name, output.Name, "Datacake.Operations.Host.dll");
        }
    }

    string Logs => string.Join("\n", Enumerable.Range(1, Machines).Select(node => PathOf(node, "log")).Where(File.Exists)
        .Select(static log => $"---- {log}\n{string.Join("\n", File.ReadLines(log).TakeLast(30))}"));

    void Prepare(int node, string[] settings)
    {
        Directory.CreateDirectory(PathOf(node, "data"));
        Directory.CreateDirectory(PathOf(node, "etc"));
        File.Copy(_variables["DATACAKE_SECRET_FILE"], PathOf(node, "etc", "secret"));
        File.Copy(_variables["DATACAKE_OPERATOR_SECRET_FILE"], PathOf(node, "etc", "operator-secret"));
        string[] lines =
        [
            $"ASPNETCORE_URLS=http://{_sites[node - 1]}",
            "CLOCK_OFFSET_FILE=etc/clock",
            $"Datacake__NodeId={node}",
            $"Datacake__ListenOn={_addresses[node - 1]}",
            .. Enumerable.Range(0, StartedNodes).Select(seed => $"Datacake__Seeds__{seed}={_addresses[seed]}"),
            "Datacake__ClusterSecretFile=etc/secret",
            "Datacake__Administration__OperatorSecretFile=etc/operator-secret",
            "Datacake__Storage__Kind=sqlite",
            "Datacake__Storage__Path=data/shop.db",
            "Datacake__Store__ExpectedNodes=3",
            "Datacake__Store__ReportInterval=00:00:00.100",
            "Datacake__Gossip__Profile=Local",
            .. settings,
        ];
        File.WriteAllText(PathOf(node, "etc", "shop.env"), string.Join('\n', lines) + "\n");
    }

    async Task<string> HealthAsync(int node)
    {
        try
        {
            using var response = await _http.GetAsync(new Uri($"http://{_sites[node - 1]}/health"), Canceled);
            return await response.Content.ReadAsStringAsync(Canceled);
        }
        catch (HttpRequestException e)
        {
            return e.Message;
        }
    }

    static Process? FindProcess(string file)
    {
        try
        {
            return Process.GetProcessById(int.Parse(File.ReadAllText(file), CultureInfo.InvariantCulture));
        }
        catch (ArgumentException)
        {
            return null;        // it has ended
        }
    }
}
