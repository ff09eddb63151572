using System.Collections.Concurrent;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Sequencing;
using Datacake.Tests;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Driving;

/// <summary>Clients at every node of a cluster, each of which runs one serial transaction after the other over a few lists that all share.</summary>
sealed class SerialLoad : IAsyncDisposable
{
    const int OpenLists = 6, AppendsPerList = 40;

    readonly CancellationTokenSource _stopping = new();
    readonly ConcurrentQueue<ListTransaction> _history = [];
    readonly ConcurrentDictionary<string, ConcurrentQueue<double>> _times = new();
    readonly Task _running;
    int _lastId;
    int _appends;

    public SerialLoad(Cluster cluster, int seed, int clientsPerNode) =>
        _running = Task.WhenAll(cluster.Nodes.SelectMany(node => Enumerable.Range(0, clientsPerNode)
            .Select(client => Task.Run(() => RunAsync(node, new Random(HashCode.Combine(seed, node.Id, client)))))));

    /// <summary>Gets what the clients have seen.</summary>
    public IReadOnlyCollection<ListTransaction> History => _history;

    /// <summary>Gets the lists that were used so far.</summary>
    public IEnumerable<string> Lists => Enumerable.Range(0, OpenLists + (_appends / AppendsPerList)).Select(static number => $"list{number}");

    /// <summary>Runs a transaction at a node, and records it.</summary>
    public async Task<Answer> RunAsync(ClusterNode node, string[] lists, int appends, bool hasBarrier)
    {
        int id = Interlocked.Increment(ref _lastId);
        long start = TimeProvider.System.GetTimestamp();
        var answer = await node.SendAsync(new Command(CommandKind.Append) { Number = id, Lists = lists, Appends = appends, HasBarrier = hasBarrier });
        bool? isDone = answer.Error switch
        {
            null => true,
            nameof(SerialConflictException) or nameof(NotEnoughNodesException) or nameof(TimeoutException) => false,
            _ => null,
        };
        _history.Enqueue(new ListTransaction(
            id, start, isDone == true ? TimeProvider.System.GetTimestamp() : long.MaxValue, isDone,
            (answer.Lists ?? []).ToDictionary(static list => list.Key, static list => (IReadOnlyList<int>)list.Value), lists[..appends]));
        Interlocked.Add(ref _appends, isDone == true ? appends : 0);
        _times.GetOrAdd(answer.Error ?? "done", static _ => []).Enqueue(answer.Milliseconds);
        return answer;
    }

    public IReadOnlyList<string[]> Table() => [["transactions", "count", "p50 ms", "p99 ms", "max ms"], .. _times.OrderBy(static outcome => outcome.Key).Select(static outcome =>
    {
        double[] times = [.. outcome.Value.Order()];
        return new[] { outcome.Key, $"{times.Length:N0}", At(0.5), At(0.99), At(1) };

        string At(double quantile) => FormattableString.Invariant($"{times[(int)((times.Length - 1) * quantile)]:F1}");
    })];

    /// <summary>Stops the clients and waits for what is under way.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
    }

    async Task RunAsync(ClusterNode node, Random random)
    {
        while (!_stopping.IsCancellationRequested)
        {
            await Task.Delay(random.Next(20));
            if (!node.IsRunning)
                continue;
            int first = _appends / AppendsPerList;
            string[] lists = [.. Enumerable.Range(first, OpenLists).Select(static number => $"list{number}")];
            random.Shuffle(lists);
            lists = lists[..random.Next(1, 4)];
            int appends = random.Next(3) == 0 ? 0 : random.Next(1, Math.Min(2, lists.Length) + 1);
            var answer = await RunAsync(node, lists, appends, hasBarrier: random.Next(2) == 0);
            if (!answer.IsDone)
                await Task.Delay(20);       // a client that is refused does not spin
        }
    }
}
