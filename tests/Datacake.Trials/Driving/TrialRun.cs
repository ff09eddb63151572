using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Datacake.Trials.Network;

namespace Datacake.Trials.Driving;

/// <summary>A run of a trial: its options, folder and verdict, and all resources that must be cleaned up in any case.</summary>
sealed class TrialRun : IAsyncDisposable
{
    const string HostPrefix = "dctrial";

    readonly IReadOnlyDictionary<string, string> _options;
    readonly ConcurrentStack<Cluster> _clusters = new();
    int _slot = -1;

    public TrialRun(string name, IReadOnlyDictionary<string, string> options, CancellationToken cancellation)
    {
        (_options, Cancellation, Verdict) = (options, cancellation, new Verdict(Console.Out));
        Seed = Number("seed", Random.Shared.Next());
        Random = new Random(Seed);
        Folder = options.TryGetValue("folder", out string? folder)
            ? Directory.CreateDirectory(folder).FullName
            : Directory.CreateTempSubdirectory($"trial-{name}-").FullName;
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Any, 0));
        LoopbackPort = ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    public Verdict Verdict { get; }

    public CancellationToken Cancellation { get; }

    public int Seed { get; }

    /// <summary>Gets the source of the choices that the seed determines. Not thread-safe.</summary>
    public Random Random { get; }

    /// <summary>Gets the folder for the nodes' files and logs, which is kept if the trial fails.</summary>
    public string Folder { get; }

    /// <summary>Gets the port that all nodes on loopback listen on, each at its own address.</summary>
    public int LoopbackPort { get; }

    public int NextSlot() => Interlocked.Increment(ref _slot);

    public int Number(string option, int otherwise) =>
        _options.TryGetValue(option, out string? text) ? int.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    public double Fraction(string option, double otherwise) =>
        _options.TryGetValue(option, out string? text) ? double.Parse(text, CultureInfo.InvariantCulture) : otherwise;

    public string? Text(string option) => _options.GetValueOrDefault(option);

    public bool Flag(string option) => _options.ContainsKey(option);

    public string SubFolder(string name) => Directory.CreateDirectory(Path.Combine(Folder, name)).FullName;

    public Task WaitAsync(TimeSpan time) => Task.Delay(time, Cancellation);

    public static string HostName(int slot, int id) => $"{HostPrefix}-{Environment.ProcessId}-{slot}-{id}";

    /// <summary>Registers a cluster to be disposed when the run ends, if it still exists.</summary>
    public void Own(Cluster cluster) => _clusters.Push(cluster);

    /// <summary>Removes the namespaces of runs that were killed before they could clean up.</summary>
    public static async Task RemoveStaleHostsAsync()
    {
        foreach (string line in (await Shell.RunAsync("ip", "netns", "list")).Split('\n'))
        {
            string name = line.Split(' ')[0];
            string[] parts = name.Split('-');
            if (parts is not [HostPrefix, var driver, _, _] || Directory.Exists($"/proc/{driver}"))
                continue;
            // Nodes end with their driver, except those that it had paused.
            foreach (string process in (await Shell.RunAsync("ip", "netns", "pids", name)).Split('\n', StringSplitOptions.RemoveEmptyEntries))
                Native.Signal(int.Parse(process, CultureInfo.InvariantCulture), Native.SigKill);
            await Host.RemoveAsync(name);
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_clusters.TryPop(out var cluster))
            await cluster.DisposeAsync();
        if (Verdict.IsPassed && !_options.ContainsKey("folder"))
            Directory.Delete(Folder, recursive: true);
        else
            Console.WriteLine($"The nodes' files and logs are in {Folder}.");
    }
}
