using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Replication;
using Datacake.EventualConsistency;

namespace Datacake.Benchmarks.Sync;

/// <summary>The workload that measures the time and the bytes until nodes converge. An operation is one convergence.</summary>
static class SyncWorkload
{
    const string Keyspace = "benchmark";
    const int PerTransaction = 1_000;
    const int DocumentLength = 100;
    const int FewDocuments = 10_000;
    const int ManyDocuments = 1_000_000;
    const int Changed = 100;

    // The bytes on the wire allowed for a changed document, with its key, stamp and frame, and for everything else together.
    const int WireBytesPerDocument = DocumentLength + 60;
    const int WireBytesBesides = 20_000;

    static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    static readonly TimeSpan AkkaTuned = TimeSpan.FromMilliseconds(200);

    public static async Task RunAsync(Runner runner)
    {
        await MeasureConnectedAsync(runner, "fresh documents", FewDocuments, changes: false, TimeSpan.FromSeconds(0.2));
        await MeasureConnectedAsync(runner, $"changed of {FewDocuments}", Changed, changes: true, TimeSpan.FromSeconds(0.05));
        foreach (string store in runner.Pace.Choose([StoreKind.Memory, StoreKind.Sqlite], [StoreKind.Memory]))
            await MeasureReconnectedAsync(runner, store, runner.Pace.IsQuick ? ManyDocuments / 10 : ManyDocuments);
        await MeasureBootstrapAsync(runner, runner.Pace.IsQuick ? ManyDocuments / 10 : ManyDocuments);
    }

    static Task MeasureConnectedAsync(Runner runner, string name, int documents, bool changes, TimeSpan within)
    {
        List<Subject> subjects =
        [
            new(DatacakeCluster.System, () => OpenConnectedAsync(documents, changes)),
        ];
        if (!runner.Pace.IsQuick)
        {
            subjects.Add(new($"{AkkaCluster.System}, tuned", () => OpenAkkaAsync(documents, changes, AkkaTuned)));
            subjects.Add(new(AkkaCluster.System, () => OpenAkkaAsync(documents, changes, gossipInterval: null)));
        }
        return runner.MeasureAsync(new Cell("sync", $"{documents} {name}, 3 nodes", subjects)
        {
            ItemsPerOperation = documents,
            MaxOperationsPerWorker = 1,
            IsolatesSystems = subjects.Count > 1,
            CountsWireBytes = true,
            Targets = [Target.Within(within)],
        });
    }

    static async Task<Session> OpenConnectedAsync(int documents, bool changes)
    {
        var cluster = await DatacakeCluster.StartAsync(new StoreKind(StoreKind.Memory).Open(3));
        long next = 0;
        if (changes)
        {
            await PutAsync(cluster.Stores[0], 0, FewDocuments, 0);
            await WaitUntilEqualAsync(cluster.Stores);
        }
        return new Session(async (_, _) =>
        {
            next++;
            await PutAsync(cluster.Stores[0], changes ? 0 : next * documents, documents, next);
            await WaitUntilEqualAsync(cluster.Stores);
        })
        {
            Close = cluster.DisposeAsync,
        };
    }

    static async Task<Session> OpenAkkaAsync(int documents, bool changes, TimeSpan? gossipInterval)
    {
        var cluster = await AkkaCluster.StartAsync(3, gossipInterval);
        long next = 0;
        if (changes)
        {
            await cluster.PutManyAsync("changed", FewDocuments, ValueOf(0));
            await cluster.WaitUntilAllHaveAsync("changed", FewDocuments, ValueOf(0), Patience);
        }
        return new Session(async (_, _) =>
        {
            next++;
            string name = changes ? "changed" : $"fresh-{next}";
            await cluster.PutManyAsync(name, documents, ValueOf(next));
            await cluster.WaitUntilAllHaveAsync(name, documents, ValueOf(next), Patience);
        })
        {
            Close = cluster.DisposeAsync,
        };
    }

    /// <summary>Measures two nodes that are disconnected while one of them changes some of many documents.</summary>
    static Task MeasureReconnectedAsync(Runner runner, string store, int documents) =>
        runner.MeasureAsync(new Cell(
            "sync", $"{Changed} changed of {documents}, apart, store={store}",
            new Subject(DatacakeCluster.System, () => OpenReconnectedAsync(store, documents)))
        {
            ItemsPerOperation = Changed,
            MaxOperationsPerWorker = 1,
            CountsWireBytes = true,
            Targets = [Target.Sends(Changed * WireBytesPerDocument + WireBytesBesides), Target.Works(TimeSpan.FromMilliseconds(200))],
        });

    static async Task<Session> OpenReconnectedAsync(string store, int documents)
    {
        var stores = new StoreKind(store);
        var cluster = await DatacakeCluster.StartAsync(stores.Open(2), isSeverable: true);
        await PutAsync(cluster.Stores[0], 0, documents, 0);
        await WaitUntilEqualAsync(cluster.Stores);
        long round = 0;
        return new Session(async (_, _) =>
        {
            cluster.Transports[1].Restore();
            await WaitUntilEqualAsync(cluster.Stores);
        })
        {
            Prepare = async () =>
            {
                await cluster.Transports[1].SeverAsync();
                await PutAsync(cluster.Stores[0], 0, Changed, ++round);
            },
            WireBytes = () => cluster.Transports.Sum(transport => transport.BytesReceived),
            Close = async () =>
            {
                await cluster.DisposeAsync();
                stores.Dispose();
            },
        };
    }

    /// <summary>Measures a new node that joins a node with many documents.</summary>
    static Task MeasureBootstrapAsync(Runner runner, int documents) =>
        runner.MeasureAsync(new Cell(
            "sync", $"bootstrap with {documents}", new Subject(DatacakeCluster.System, () => OpenBootstrapAsync(documents)))
        {
            ItemsPerOperation = documents,
            MaxOperationsPerWorker = 1,
            CountsWireBytes = true,
            Targets = [Target.TimesKnown("demand", 100_000, 1)],
        });

    static async Task<Session> OpenBootstrapAsync(int documents)
    {
        var stores = new StoreKind(StoreKind.Memory);
        var cluster = await DatacakeCluster.StartAsync(stores.Open(1));
        await PutAsync(cluster.Stores[0], 0, documents, 0);
        return new Session(async (_, _) =>
        {
            var joining = await cluster.AddAsync(stores.Open());
            await WaitUntilEqualAsync([cluster.Stores[0], joining]);
        })
        {
            Prepare = async () =>
            {
                if (cluster.Nodes.Count > 1)
                    await cluster.RetireLastAsync();
            },
            Close = cluster.DisposeAsync,
        };
    }

    static async Task PutAsync(ReplicatedStore store, long first, int count, long round)
    {
        var documents = store.Keyspace(Keyspace);
        byte[] value = ValueOf(round);
        for (int start = 0; start < count; start += PerTransaction)
        {
            await documents.PutManyAsync(
                Enumerable.Range(start, Math.Min(PerTransaction, count - start)).Select(
                    number => KeyValuePair.Create<DocumentKey, ReadOnlyMemory<byte>>(first + number, value)),
                Consistency.None);
        }
    }

    static Task WaitUntilEqualAsync(IReadOnlyList<ReplicatedStore> stores) => DatacakeCluster.WaitUntilAsync(
        async () =>
        {
            var first = await stores[0].Keyspace(Keyspace).GetStatisticsAsync();
            foreach (var store in stores.Skip(1))
            {
                if (await store.Keyspace(Keyspace).GetStatisticsAsync() != first)
                    return false;
            }
            return true;
        },
        "all nodes have the same documents", Patience);

    static byte[] ValueOf(long round)
    {
        byte[] value = new byte[DocumentLength];
        BitConverter.TryWriteBytes(value, round);
        return value;
    }
}
