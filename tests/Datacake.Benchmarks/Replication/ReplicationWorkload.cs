using Akka.DistributedData;
using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Rpc;
using Datacake.EventualConsistency;
using Datacake.Storage;

namespace Datacake.Benchmarks.Replication;

/// <summary>
/// The workload of the Rust crate's own benchmark: N nodes in one process over loopback TCP. Each task puts 1,000 documents of 30 bytes at
/// the first node, one after the other, or deletes them.
/// </summary>
static class ReplicationWorkload
{
    const string Keyspace = "benchmark";
    const int PutsPerTask = 1_000;
    const int FewStored = 10_000, ManyStored = 1_000_000;

    static readonly byte[] Value = new byte[30];

    static readonly Consistency[] Levels =
        [Consistency.None, Consistency.One, Consistency.Quorum, Consistency.LocalQuorum, Consistency.EachQuorum, Consistency.All];

    public static async Task RunAsync(Runner runner)
    {
        foreach (string store in new[] { StoreKind.Memory, StoreKind.Sqlite, StoreKind.Lmdb })
        {
            bool isMemory = store == StoreKind.Memory;
            foreach (int nodes in isMemory ? [1, 3, 5] : runner.Pace.Choose([1, 3, 5], [3]))
            {
                foreach (var level in runner.Pace.Choose(Levels, isMemory ? [Consistency.None, Consistency.Quorum, Consistency.All] : [Consistency.Quorum]))
                {
                    // On one node, all levels that it can satisfy are equivalent.
                    if (nodes == 1 && level is Consistency.One || runner.Pace.IsQuick && nodes == 1 && level != Consistency.All)
                        continue;
                    foreach (int tasks in runner.Pace.Choose([1, 10, 64, 125, 256, 1024], isMemory ? [1, 10, 64, 125, 256] : [1, 256]))
                        await MeasurePutsAsync(runner, store, nodes, level, tasks);
                    if (level is Consistency.Quorum)
                        await MeasureDeletesAsync(runner, store, nodes, level, tasks: 125);
                }
            }
            if (isMemory)
                await MeasureSecurityAsync(runner);
            if (isMemory || !runner.Pace.IsQuick)
                await MeasureGrowthAsync(runner, store);
            if (!isMemory)
                await MeasureMemoryAsync(runner, store);
        }
    }

    /// <summary>Measures the memory that a node retains per additional document on disk.</summary>
    static Task MeasureMemoryAsync(Runner runner, string store)
    {
        int documents = runner.Pace.IsQuick ? ManyStored / 10 : ManyStored;
        return runner.MeasureAsync(new Cell(
            "replication", $"store {documents} more, store={store} nodes=1 scattered",
            new Subject(DatacakeCluster.System, () => OpenStoringAsync(store, documents)))
        {
            ItemsPerOperation = documents,
            MaxOperationsPerWorker = 1,
            CountsKeptBytes = true,
            Targets = [Target.Keeps(16)],
        });
    }

    static async Task<Session> OpenStoringAsync(string store, int documents)
    {
        var stores = new StoreKind(store);
        var cluster = await DatacakeCluster.StartAsync(stores.Open(1), Durability.Buffered);
        var keyspace = cluster.Stores[0].Keyspace(Keyspace);
        long last = 0;
        return new Session(async (_, _) => last = await PutScatteredAsync(keyspace, last, documents)) { Close = () => CloseAsync(cluster, stores) };
    }

    /// <summary>Measures puts of new documents with scattered keys at a node with many documents and at a node with few.</summary>
    static Task MeasureGrowthAsync(Runner runner, string store)
    {
        string few = $"{DatacakeCluster.System}, {FewStored} stored";
        return runner.MeasureAsync(new Cell(
            "replication", $"put store={store} nodes=1 scattered tasks=64",
            new Subject($"{DatacakeCluster.System}, {ManyStored} stored", () => OpenScatteredPutsAsync(store, ManyStored)),
            new Subject(few, () => OpenScatteredPutsAsync(store, FewStored)))
        {
            Workers = 64,
            MaxOperationsPerWorker = PutsPerTask,
            Targets = [Target.Times(few, 0.8)],
        });
    }

    static async Task<Session> OpenScatteredPutsAsync(string store, int stored)
    {
        var stores = new StoreKind(store);
        var cluster = await DatacakeCluster.StartAsync(stores.Open(1));
        var documents = cluster.Stores[0].Keyspace(Keyspace);
        long last = await PutScatteredAsync(documents, 0, stored);
        return new Session(async (_, _) => await documents.PutAsync(ScatteredKey(Interlocked.Increment(ref last)), Value))
        {
            Close = () => CloseAsync(cluster, stores),
        };
    }

    /// <summary>Puts the given number of additional documents and returns the number of the last one.</summary>
    static async Task<long> PutScatteredAsync(KeyspaceHandle keyspace, long last, int count)
    {
        for (int start = 0; start < count; start += PutsPerTask)
        {
            await keyspace.PutManyAsync(Enumerable.Range(0, PutsPerTask).Select(
                _ => KeyValuePair.Create<DocumentKey, ReadOnlyMemory<byte>>(ScatteredKey(++last), Value)));
        }
        return last;
    }

    static async ValueTask CloseAsync(DatacakeCluster cluster, StoreKind stores)
    {
        await cluster.DisposeAsync();
        stores.Dispose();
    }

    static async Task MeasurePutsAsync(Runner runner, string store, int nodes, Consistency level, int tasks)
    {
        bool isMemory = store == StoreKind.Memory;
        bool isWithAkka = isMemory && nodes == 3 && (!runner.Pace.IsQuick || tasks is 1 or 64);
        var akkaLevel = isWithAkka ? AkkaLevelOf(level) : null;
        // The known figures of the Rust crate do not include 64 tasks. This number of tasks is for the comparison with Akka.
        var targets = isMemory ? KnownFigures.TargetsOf(nodes, level, tasks) : [];
        if (tasks == 64 && akkaLevel is null)
            return;
        if (akkaLevel is not null and not WriteLocal && tasks == 64)
            targets = [.. targets, Target.Times(AkkaCluster.System, 10)];
        List<Subject> subjects = [new(DatacakeCluster.System, () => OpenPutsAsync(store, nodes, level))];
        if (akkaLevel is not null)
            subjects.Add(new(AkkaCluster.System, () => OpenAkkaPutsAsync(nodes, akkaLevel)));
        await runner.MeasureAsync(new Cell("replication", $"put store={store} nodes={nodes} level={level} tasks={tasks}", subjects)
        {
            Workers = tasks,
            MaxOperationsPerWorker = tasks == 1 ? long.MaxValue : PutsPerTask,
            IsolatesSystems = subjects.Count > 1,
            CountsWireBytes = true,
            Targets = targets,
        });
    }

    /// <summary>Measures the cost of encryption: the cluster secret, compared with no protection and with TLS.</summary>
    static async Task MeasureSecurityAsync(Runner runner)
    {
        const int Nodes = 3, Tasks = 125;
        foreach (var level in new[] { Consistency.None, Consistency.Quorum, Consistency.All })
        {
            await runner.MeasureAsync(new Cell("replication", $"security put store=memory nodes={Nodes} level={level} tasks={Tasks}",
                SubjectOf(LinkSecurity.ClusterSecret), SubjectOf(LinkSecurity.None), SubjectOf(LinkSecurity.MutualTls))
            {
                Workers = Tasks,
                MaxOperationsPerWorker = PutsPerTask,
                IsolatesSystems = true,
                CountsWireBytes = true,
            });

            Subject SubjectOf(LinkSecurity security) =>
                new(DatacakeCluster.System + security.Name, () => OpenPutsAsync(StoreKind.Memory, Nodes, level, security));
        }
    }

    static Task MeasureDeletesAsync(Runner runner, string store, int nodes, Consistency level, int tasks) =>
        runner.MeasureAsync(new Cell(
            "replication", $"delete store={store} nodes={nodes} level={level} tasks={tasks}",
            new Subject(DatacakeCluster.System, () => OpenDeletesAsync(store, nodes, level, tasks)))
        {
            Workers = tasks,
            MaxOperationsPerWorker = PutsPerTask,
            CountsWireBytes = true,
        });

    static async Task<Session> OpenPutsAsync(string store, int nodes, Consistency level, LinkSecurity? security = null)
    {
        var stores = new StoreKind(store);
        var cluster = await DatacakeCluster.StartAsync(stores.Open(nodes), security: security);
        var documents = cluster.Stores[0].Keyspace(Keyspace);
        long run = 0;
        return new Session(async (worker, number) => await documents.PutAsync(KeyOf(run, worker, number), Value, level))
        {
            Prepare = () =>
            {
                run++;
                return ValueTask.CompletedTask;
            },
            Close = () => CloseAsync(cluster, stores),
        };
    }

    static async Task<Session> OpenDeletesAsync(string store, int nodes, Consistency level, int tasks)
    {
        var stores = new StoreKind(store);
        var cluster = await DatacakeCluster.StartAsync(stores.Open(nodes));
        var documents = cluster.Stores[0].Keyspace(Keyspace);
        return new Session(async (worker, number) => await documents.DeleteAsync(KeyOf(0, worker, number), level))
        {
            Prepare = async () =>
            {
                for (int worker = 0; worker < tasks; worker++)
                {
                    await documents.PutManyAsync(
                        Enumerable.Range(0, PutsPerTask).Select(
                            number => KeyValuePair.Create<DocumentKey, ReadOnlyMemory<byte>>(KeyOf(0, worker, number), Value)),
                        Consistency.All);
                }
            },
            Close = () => CloseAsync(cluster, stores),
        };
    }

    static async Task<Session> OpenAkkaPutsAsync(int nodes, IWriteConsistency level)
    {
        var cluster = await AkkaCluster.StartAsync(nodes);
        long run = 0;
        return new Session((worker, number) => cluster.PutAsync(0, $"{run}-{worker}-{number}", Value, level))
        {
            Prepare = () =>
            {
                run++;
                return ValueTask.CompletedTask;
            },
            Close = cluster.DisposeAsync,
        };
    }

    static DocumentKey KeyOf(long run, int worker, long number) => (run << 48) | ((long)worker << 32) | number;

    // Multiplication by an odd number is a bijection, so all keys are different.
    static DocumentKey ScatteredKey(long number) => unchecked(number * -7_046_029_254_386_353_131);

    static IWriteConsistency? AkkaLevelOf(Consistency level) => level switch
    {
        Consistency.None => WriteLocal.Instance,
        Consistency.Quorum => new WriteMajority(TimeSpan.FromSeconds(30)),
        Consistency.All => new WriteAll(TimeSpan.FromSeconds(30)),
        _ => null,
    };
}
