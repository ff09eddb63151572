using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Replication;
using Datacake.EventualConsistency;

namespace Datacake.Benchmarks.Serial;

/// <summary>
/// Serial transactions, each of which puts a document of 30 bytes, and serial reads, on three nodes in this process with durable commits, at the node of the
/// sequencer. etcd has three processes, and is asked at its leader.
/// </summary>
static class SerialWorkload
{
    const string Keyspace = "benchmark";
    const int Nodes = 3, Keys = 1_000;

    static readonly byte[] Value = new byte[30];

    public static async Task RunAsync(Runner runner)
    {
        foreach (int clients in runner.Pace.Choose([1, 16, 64, 256], [1, 64, 256]))
            await MeasureAsync(runner, $"put nodes={Nodes} clients={clients}", clients, PutAsync, static (cluster, key) => cluster.PutAsync(key, Value), clients == 1 ? 1 : 3);
        await MeasureAsync(runner, $"read nodes={Nodes} clients=64", 64, ReadAsync, static (cluster, key) => cluster.GetAsync(key), 5);
    }

    static Task MeasureAsync(
        Runner runner, string name, int clients, Func<ReplicatedStore, long, ValueTask> operate, Func<EtcdCluster, string, ValueTask> operateEtcd, double factor)
    {
        List<Subject> subjects =
        [
            new($"{DatacakeCluster.System}, SQLite", () => OpenAsync(StoreKind.Sqlite, operate)),
            new($"{DatacakeCluster.System}, LMDB", () => OpenAsync(StoreKind.Lmdb, operate)),
        ];
        if (EtcdCluster.IsInstalled)
            subjects.Add(new(EtcdCluster.System, () => OpenEtcdAsync(operateEtcd)));
        return runner.MeasureAsync(new Cell("serial", name, subjects)
        {
            Workers = clients,
            IsolatesSystems = true,
            Targets = EtcdCluster.IsInstalled ? [Target.Times(EtcdCluster.System, factor)] : [],
        });
    }

    static async ValueTask PutAsync(ReplicatedStore store, long number) =>
        await store.Keyspace(Keyspace).PutAsync(number % Keys, Value, Consistency.Serial);

    static async ValueTask ReadAsync(ReplicatedStore store, long number)
    {
        await store.CatchUpAsync(Consistency.Serial);
        await store.Keyspace(Keyspace).GetAsync(number % Keys);
    }

    static async Task<Session> OpenAsync(string kind, Func<ReplicatedStore, long, ValueTask> operate)
    {
        var stores = new StoreKind(kind);
        var cluster = await DatacakeCluster.StartAsync(stores.Open(Nodes));
        var store = cluster.Stores[0];
        // A majority of three stands for every other requirement once all have become voters.
        await DatacakeCluster.WaitUntilAsync(
            () => ValueTask.FromResult(cluster.Stores.All(static store => store.RequirementOf(Consistency.Serial).ToString().Contains($"2 of {Nodes} voters", StringComparison.Ordinal))),
            "all nodes are voters", TimeSpan.FromSeconds(60));
        await PutAsync(store, 0);
        return new Session((worker, number) => operate(store, (worker * 31L) + number))
        {
            Close = async () =>
            {
                await cluster.DisposeAsync();
                stores.Dispose();
            },
        };
    }

    static async Task<Session> OpenEtcdAsync(Func<EtcdCluster, string, ValueTask> operate)
    {
        var cluster = await EtcdCluster.StartAsync();
        await cluster.PutAsync("key0", Value);
        return new Session((worker, number) => operate(cluster, $"key{((worker * 31L) + number) % Keys}")) { Close = cluster.DisposeAsync };
    }
}
