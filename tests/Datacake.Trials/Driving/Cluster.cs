using System.Net;
using Datacake.Node;
using Datacake.Trials.Network;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Driving;

/// <summary>A few nodes in processes, on loopback or on the hosts of a wire.</summary>
sealed class Cluster : IAsyncDisposable
{
    const int Port = 7001;
    static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(20);

    readonly List<Host> _hosts = [];
    readonly List<ClusterNode> _nodes = [];
    readonly CancellationToken _cancellation;

    Cluster(Wire? wire, CancellationToken cancellation) => (Wire, _cancellation) = (wire, cancellation);

    public IReadOnlyList<ClusterNode> Nodes => _nodes;

    /// <summary>Gets the network between the hosts; <see langword="null"/> on loopback.</summary>
    public Wire? Wire { get; }

    public ClusterNode this[int index] => _nodes[index];

    /// <summary>Prepares nodes 1 to <paramref name="count"/> on loopback addresses that no other cluster of this run has.</summary>
    public static Cluster OnLoopback(TrialRun run, int count, string folder, bool isGossipLocal = true)
    {
        var cluster = new Cluster(null, run.Cancellation);
        run.Own(cluster);
        int slot = run.NextSlot();
        string[] addresses = [.. Enumerable.Range(1, count).Select(id => $"127.{1 + (slot / 250)}.{1 + (slot % 250)}.{id}:{run.LoopbackPort}")];
        for (int i = 0; i < count; i++)
            cluster.Add(new WorkerSettings((byte)(i + 1), addresses[i], addresses, FileOf(folder, i + 1)) { IsGossipLocal = isGossipLocal }, null, folder);
        return cluster;
    }

    /// <summary>Prepares nodes 1 to <paramref name="count"/>, each on its own host.</summary>
    public static async Task<Cluster> OnWireAsync(TrialRun run, int count, string folder, bool isGossipLocal = false, Func<int, string>? hostsFile = null)
    {
        await TrialRun.RemoveStaleHostsAsync();
        var wire = new Wire(run.Random.Next());
        var cluster = new Cluster(wire, run.Cancellation);
        run.Own(cluster);
        int slot = run.NextSlot();
        string[] seeds = [.. Enumerable.Range(1, count).Select(id => $"{AddressOf(id)}:{Port}")];
        for (int id = 1; id <= count; id++)
        {
            var host = await Host.CreateAsync(wire, TrialRun.HostName(slot, id), AddressOf(id), hostsFile?.Invoke(id));
            cluster._hosts.Add(host);
            cluster.Add(new WorkerSettings((byte)id, $"{AddressOf(id)}:{Port}", seeds, FileOf(folder, id)) { IsGossipLocal = isGossipLocal }, host, folder);
        }
        return cluster;
    }

    /// <summary>Returns an address of the wire's network. The number is from 1 to 254.</summary>
    public static IPAddress AddressOf(int number) => new([10, 77, 0, (byte)number]);

    public static string SeedOf(int number) => $"{AddressOf(number)}:{Port}";

    /// <summary>Starts all nodes and waits until they have joined and are in session.</summary>
    public async Task FormAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.StartAsync()));
        await Task.WhenAll(_nodes.Select(node => node.RequireAsync(new Command(CommandKind.AwaitJoined))));
        await MeetAsync(TimeSpan.FromMinutes(1));
    }

    /// <summary>Waits until each of the nodes sees all of them as up, and returns the time this took.</summary>
    /// <exception cref="TimeoutException">The nodes are not in session in time.</exception>
    public async Task<TimeSpan> MeetAsync(TimeSpan timeout, params ClusterNode[] nodes)
    {
        if (nodes.Length == 0)
            nodes = [.. _nodes];
        string views = "";
        bool isMet = false;
        var took = await MeasureAsync(
            async () =>
            {
                var answers = await Task.WhenAll(nodes.Select(node => node.SendAsync(new Command(CommandKind.Members)).WaitAsync(timeout, _cancellation)));
                views = string.Join("; ", nodes.Zip(answers, (node, answer) =>
                    $"{node.Id} sees {string.Join(' ', answer.Members.Select(member => $"{member.NodeId}{(member.IsUp ? '+' : '-')}"))} {answer.Message}"));
                return isMet = answers.All(answer => answer.IsDone && nodes.All(node => answer.Members.Any(member => member.NodeId == node.Id && member.IsUp)));
            },
            timeout);
        return isMet ? took : throw new TimeoutException($"Not all nodes are in session after {timeout.TotalSeconds:F0} s: {views}");
    }

    /// <summary>Works like <see cref="MeetAsync"/>, but returns <see langword="null"/> if the nodes are not in session in time.</summary>
    public async Task<TimeSpan?> TryMeetAsync(TimeSpan timeout, Action<string> explain, params ClusterNode[] nodes)
    {
        try
        {
            return await MeetAsync(timeout, nodes);
        }
        catch (TimeoutException e)
        {
            explain(e.Message);
            return null;
        }
    }

    /// <summary>Returns the time until a condition becomes true, or the timeout.</summary>
    public async Task<TimeSpan> MeasureAsync(Func<Task<bool>> condition, TimeSpan timeout)
    {
        long start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) >= timeout)
                return timeout;
            await Task.Delay(Poll, _cancellation);
        }
        return TimeProvider.System.GetElapsedTime(start);
    }

    /// <summary>Waits until all nodes show the same content, and returns the content that each node shows.</summary>
    /// <returns>The contents by node, and true if they became equal in time.</returns>
    public async Task<(IReadOnlyDictionary<byte, SortedDictionary<string, string>> Contents, bool IsEqual)> ConvergeAsync(TimeSpan timeout)
    {
        var contents = new Dictionary<byte, SortedDictionary<string, string>>();
        bool isEqual = false;
        await MeasureAsync(
            async () =>
            {
                foreach (var node in _nodes)
                    contents[node.Id] = (await node.RequireAsync(new Command(CommandKind.Content))).Content ?? [];
                isEqual = _nodes.All(node => contents[node.Id].SequenceEqual(contents[_nodes[0].Id]));
                return isEqual;
            },
            timeout);
        return (contents, isEqual);
    }

    /// <summary>Returns a description of the number of documents and the fingerprint that each node shows.</summary>
    public async Task<string> CountsAsync(params ClusterNode[] nodes)
    {
        var answers = await Task.WhenAll((nodes.Length > 0 ? nodes : [.. _nodes])
            .Select(async node => (node.Id, Answer: await node.RequireAsync(new Command(CommandKind.Statistics)))));
        return string.Join("; ", answers.Select(each => $"node {each.Id}: {each.Answer.Number} documents, fingerprint {each.Answer.Value?[^8..]}"));
    }

    public async Task<bool> ShowTheSameAsync(string keyspace = "k")
    {
        var answers = await Task.WhenAll(_nodes.Select(node => node.RequireAsync(new Command(CommandKind.Statistics) { Keyspace = keyspace })));
        return answers.All(answer => answer.Value == answers[0].Value);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        foreach (var host in _hosts)
            await host.DisposeAsync();
        Wire?.Dispose();
    }

    void Add(WorkerSettings settings, Host? host, string folder) =>
        _nodes.Add(new ClusterNode(settings, host, Path.Combine(folder, $"node{settings.NodeId}.log")));

    static string FileOf(string folder, int id) => Path.Combine(Directory.CreateDirectory(Path.Combine(folder, $"node{id}")).FullName, "store.db");
}
