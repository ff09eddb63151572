using Datacake.EventualConsistency;
using Datacake.Trials.Worker;

namespace Datacake.Trials.Driving;

/// <summary>Writers at every node of a cluster: puts and deletes of shared keys, and increments of shared counters, at several levels.</summary>
sealed class Load : IAsyncDisposable
{
    const int Keys = 60;

    readonly CancellationTokenSource _stopping = new();
    readonly Task _running;
    readonly History _history;
    readonly TimeSpan _pause;
    readonly Func<ClusterNode, Consistency[]> _levelsOf;
    volatile Dictionary<(Consistency Level, bool IsDone), List<double>> _times = [];

    /// <param name="cluster">The cluster to write to.</param>
    /// <param name="history">Records every write.</param>
    /// <param name="seed">The seed for the choices of keys and levels; it does not determine the order in which writers run.</param>
    /// <param name="writersPerNode">The number of concurrent writes at each node.</param>
    /// <param name="pause">The mean time between two writes of a writer.</param>
    /// <param name="levelsOf">Returns the levels that the writers of a node choose from.</param>
    public Load(Cluster cluster, History history, int seed, int writersPerNode, TimeSpan pause, Func<ClusterNode, Consistency[]> levelsOf)
    {
        (_history, _pause, _levelsOf) = (history, pause, levelsOf);
        _running = Task.WhenAll(cluster.Nodes.SelectMany(node => Enumerable.Range(0, writersPerNode)
            .Select(writer => Task.Run(() => WriteAsync(node, new Random(HashCode.Combine(seed, node.Id, writer)))))));
    }

    /// <summary>Gets the number of tallies that the cluster must have before the load begins.</summary>
    public static int Tallies => 10;

    /// <summary>Gets or sets whether the writers pause.</summary>
    public bool IsHalted { get; set; }

    public IReadOnlyList<string[]> Table()
    {
        List<string[]> rows = [["writes", "count", "p50 ms", "p99 ms", "max ms"]];
        lock (_times)
        {
            foreach (var ((level, isDone), times) in _times.OrderBy(each => each.Key))
            {
                times.Sort();
                rows.Add([$"{level}, {(isDone ? "acknowledged" : "refused or failed")}", $"{times.Count:N0}", At(0.5), At(0.99), At(1)]);

                string At(double quantile) => FormattableString.Invariant($"{times[(int)((times.Count - 1) * quantile)]:F1}");
            }
        }
        return rows;
    }

    /// <summary>Stops the writers and waits for the writes in progress.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
    }

    async Task WriteAsync(ClusterNode node, Random random)
    {
        while (!_stopping.IsCancellationRequested)
        {
            await Task.Delay(_pause * 2 * random.NextDouble());
            if (IsHalted || !node.IsRunning)
                continue;
            var levels = _levelsOf(node);
            var level = levels[random.Next(levels.Length)];
            var (write, command) = random.Next(10) switch
            {
                < 6 => Put(node, random),
                6 => Delete(node, random),
                _ => Increment(node, random),
            };
            var answer = await node.SendAsync(command with { Level = level });
            _history.End(write, answer);
            lock (_times)
            {
                if (!_times.TryGetValue((level, answer.IsDone), out var times))
                    _times.Add((level, answer.IsDone), times = []);
                times.Add(answer.Milliseconds);
            }
            if (!answer.IsDone)
                await Task.Delay(50);       // a caller whose write is refused does not spin
        }
    }

    (Write Write, Command Command) Put(ClusterNode node, Random random)
    {
        string key = $"key{random.Next(Keys)}", value = _history.NextValue(node.Id);
        return (_history.Begin(node.Id, key, value), new Command(CommandKind.Put) { Key = key, Value = value });
    }

    (Write Write, Command Command) Delete(ClusterNode node, Random random)
    {
        string key = $"key{random.Next(Keys)}";
        return (_history.Begin(node.Id, key, null), new Command(CommandKind.Delete) { Key = key });
    }

    (Write Write, Command Command) Increment(ClusterNode node, Random random)
    {
        int tally = 1 + random.Next(Tallies), by = 1 + random.Next(3);
        return (_history.BeginIncrement(node.Id, tally, by), new Command(CommandKind.Increment) { Number = tally, Count = by });
    }
}
