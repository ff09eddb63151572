using System.Diagnostics;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Sqlite;
using Datacake.Storage;
using Datacake.Trials.Driving;

namespace Datacake.Trials.Trials;

/// <summary>
/// A trial of three nodes in this process that hold many named stores of 100 documents each: the time of a restart, memory and processor time while
/// nothing happens, and the effect of a flood in one store on the latency of another.
/// </summary>
static class StoresTrial
{
    const int Nodes = 3, Documents = 100, Length = 100, FloodTasks = 32;
    static readonly TimeSpan Patience = TimeSpan.FromMinutes(5), Quiet = TimeSpan.FromSeconds(60), Measured = TimeSpan.FromSeconds(10);

    public static async Task RunAsync(TrialRun run)
    {
        int stores = run.Number("stores", 1_000);
        int[] ports = [.. Enumerable.Range(0, Nodes).Select(_ => FreePort())];
        await using (var filling = await Group.StartAsync(run, ports, stores, form: true))
        {
            await Parallel.ForEachAsync(filling.Of(0), run.Cancellation, async (store, token) =>
            {
                await store.WaitForMembersAsync(Nodes, Patience, token);
                await store.Keyspace("cakes").PutManyAsync(Enumerable.Range(0, Documents).Select(static key => KeyValuePair.Create((DocumentKey)key, (ReadOnlyMemory<byte>)new byte[Length])), Consistency.All, token);
            });
        }
        long memory = ManagedMemory();
        long started = Stopwatch.GetTimestamp();
        await using var nodes = await Group.StartAsync(run, ports, stores, form: false);
        run.Verdict.Require(nodes.Opening < TimeSpan.FromSeconds(10), FormattableString.Invariant($"a node opens {stores} stores within 10 s ({nodes.Opening.TotalSeconds:F1} s, {Nodes} at once)"));
        await Parallel.ForEachAsync(nodes.Of(0), run.Cancellation, static async (store, token) => await store.WaitForMembersAsync(Nodes, Patience, token));
        run.Verdict.Say(FormattableString.Invariant($"all sessions are open after {Stopwatch.GetElapsedTime(started).TotalSeconds:F1} s"));

        await run.WaitAsync(Quiet);
        double each = (ManagedMemory() - memory) / (double)(Nodes * stores);
        run.Verdict.Require(each < 100_000, FormattableString.Invariant($"an idle store takes less than 100 KB of managed memory ({each / 1000:F1} KB; the process has {Environment.WorkingSet / 1e6:F0} MB)"));
        var before = Process.GetCurrentProcess().TotalProcessorTime;
        long measured = Stopwatch.GetTimestamp();
        await run.WaitAsync(Quiet);
        double load = (Process.GetCurrentProcess().TotalProcessorTime - before) / Stopwatch.GetElapsedTime(measured) / Nodes;
        run.Verdict.Require(load < 0.02, FormattableString.Invariant($"an idle node takes less than 2 % of a core ({load:P1})"));

        var quiet = nodes.Of(0)[0];
        var alone = await LatencyAsync(quiet, run.Cancellation);
        using var flooding = CancellationTokenSource.CreateLinkedTokenSource(run.Cancellation);
        var flood = Task.WhenAll(Enumerable.Range(0, FloodTasks).Select(task => FloodAsync(nodes.Of(0)[1], task, flooding.Token)));
        var beside = await LatencyAsync(quiet, run.Cancellation);
        await flooding.CancelAsync();
        int puts = (await flood).Sum();
        run.Verdict.Require(
            beside.P99 < 2 * alone.P99,
            FormattableString.Invariant($"a flood in another store at most doubles the 99th percentile of saves ({alone.P99.TotalMilliseconds:F2} to {beside.P99.TotalMilliseconds:F2} ms, median {alone.P50.TotalMilliseconds:F2} to {beside.P50.TotalMilliseconds:F2} ms; {puts / Measured.TotalSeconds:N0} puts per second in the other)"));
    }

    /// <summary>Returns the latency of saves at Quorum that follow each other.</summary>
    static async Task<(TimeSpan P50, TimeSpan P99)> LatencyAsync(ReplicatedStore store, CancellationToken cancellationToken)
    {
        var latencies = new List<TimeSpan>();
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < Measured)
        {
            long begin = Stopwatch.GetTimestamp();
            await store.Keyspace("cakes").PutAsync(latencies.Count % Documents, new byte[Length], Consistency.Quorum, cancellationToken);
            latencies.Add(Stopwatch.GetElapsedTime(begin));
        }
        latencies.Sort();
        return (latencies[latencies.Count / 2], latencies[latencies.Count * 99 / 100]);
    }

    static async Task<int> FloodAsync(ReplicatedStore store, int task, CancellationToken cancellationToken)
    {
        int puts = 0;
        try
        {
            for (; !cancellationToken.IsCancellationRequested; puts++)
                await store.Keyspace("cakes").PutAsync((task * 1_000) + (puts % 1_000), new byte[Length], Consistency.Quorum, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The flood ends.
        }
        return puts;
    }

    static long ManagedMemory() => GC.GetTotalMemory(forceFullCollection: true);

    static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The nodes with their stores.</summary>
    sealed class Group : IAsyncDisposable
    {
        readonly List<DatacakeNode> _nodes = [];

        /// <summary>Gets the longest time that a node took to open its stores.</summary>
        public TimeSpan Opening { get; private set; }

        public static async Task<Group> StartAsync(TrialRun run, int[] ports, int stores, bool form)
        {
            var group = new Group();
            foreach (int index in Enumerable.Range(0, Nodes))
            {
                group._nodes.Add(await DatacakeNode.StartAsync(
                    options =>
                    {
                        options.WithNodeId(index + 1).ListenOn($"127.0.0.1:{ports[index]}").WithSeeds([.. ports.Select(static port => $"127.0.0.1:{port}")])
                            .UseSqlite(Path.Combine(run.Folder, $"{index + 1}.db")).WithStore(store => store.FormCluster = form && index == 0);
                        foreach (int store in Enumerable.Range(0, stores))
                        {
                            options.WithStore($"shop/{store}", named =>
                            {
                                named.UseSqlite(Path.Combine(run.Folder, $"{index + 1}-{store}.db"));
                                named.Settings.FormCluster = form && index == 0;
                            });
                        }
                    },
                    run.Cancellation));
            }
            var openings = await Task.WhenAll(group._nodes.Select(async node =>
            {
                long start = Stopwatch.GetTimestamp();
                await node.OpenStoreAsync(run.Cancellation);
                await node.OpenStoresAsync(run.Cancellation);
                return Stopwatch.GetElapsedTime(start);
            }));
            group.Opening = openings.Max();
            return group;
        }

        /// <summary>Returns the named stores of a node.</summary>
        public ReplicatedStore[] Of(int node) => [.. _nodes[node].OpenStores.Where(static store => store.Name.Length > 0)];

        public async ValueTask DisposeAsync() => await Task.WhenAll(_nodes.Select(static node => node.DisposeAsync().AsTask()));
    }
}
