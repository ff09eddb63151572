using System.Buffers.Binary;
using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Replication;
using Datacake.Lmdb;
using Datacake.Sqlite;
using Datacake.Storage;

namespace Datacake.Benchmarks.Storage;

/// <summary>The workload that compares storage providers with their libraries: 16-byte keys, 100-byte values, the same durability.</summary>
static class StorageWorkload
{
    const int Entries = 100_000;
    const int Writers = 16;
    const int ScanLength = 10_000;

    static readonly byte[] Value = new byte[100];

    public static async Task RunAsync(Runner runner)
    {
        await RunAsync(runner, "sqlite", "SQLite", path => new ProviderStore(new SqliteStorage(path)), path => new RawSqliteStore(path), readFactor: 0.8);
        await RunAsync(runner, "lmdb", "LightningDB", path => new ProviderStore(new LmdbStorage(path)), path => new RawLmdbStore(path), readFactor: 0.7);
    }

    static async Task RunAsync(
        Runner runner, string engine, string library, Func<string, IKeyValueStore> ours, Func<string, IKeyValueStore> raw, double readFactor)
    {
        foreach (var durability in new[] { Durability.Flushed, Durability.Buffered })
        {
            await runner.MeasureAsync(new Cell(
                "storage", $"engine={engine} commit={durability}",
                OfCommits(DatacakeCluster.System, ours, durability), OfCommits(library, raw, durability))
            {
                Targets = [Target.Times(library, 0.9)],
            });
        }
        await runner.MeasureAsync(new Cell(
            "storage", $"engine={engine} commit=Flushed writers={Writers} grouped",
            OfGroupedCommits(DatacakeCluster.System, ours), OfGroupedCommits(library, raw), OfReplicatedStore(engine))
        {
            Workers = Writers,
            Targets = [Target.Times(library, 0.8)],
        });
        await runner.MeasureAsync(new Cell(
            "storage", $"engine={engine} get of {Entries}", OfGets(DatacakeCluster.System, ours), OfGets(library, raw))
        {
            Targets = [Target.Times(library, readFactor)],
        });
        await runner.MeasureAsync(new Cell(
            "storage", $"engine={engine} scan of {ScanLength}", OfScans(DatacakeCluster.System, ours), OfScans(library, raw))
        {
            ItemsPerOperation = ScanLength,
            Targets = [Target.Times(library, 0.7)],
        });
    }

    static Subject OfCommits(string system, Func<string, IKeyValueStore> open, Durability durability) => Of(system, open, filled: false, (store, random) =>
        store.Commit([(KeyOf(random.NextInt64()), Value)], durability));

    static Subject OfGets(string system, Func<string, IKeyValueStore> open) => Of(system, open, filled: true, (store, random) =>
    {
        if (store.Get(KeyOf(random.Next(Entries))) != Value.Length)
            throw new InvalidDataException("An entry is missing.");
    });

    static Subject OfScans(string system, Func<string, IKeyValueStore> open) => Of(system, open, filled: true, (store, random) =>
    {
        if (store.Scan(KeyOf(random.Next(Entries - ScanLength)), ScanLength) != ScanLength * (KeyOf(0).Length + Value.Length))
            throw new InvalidDataException("The scan did not return all entries.");
    });

    static Subject Of(string system, Func<string, IKeyValueStore> open, bool filled, Action<IKeyValueStore, Random> operate) => new(system, () =>
    {
        var directory = Directory.CreateTempSubdirectory("datacake-benchmark-");
        var store = open(Path.Combine(directory.FullName, "store"));
        if (filled)
            store.Commit([.. Enumerable.Range(0, Entries).Select(i => (KeyOf(i), Value))], Durability.Buffered);
        var random = new Random(1);
        return Task.FromResult(new Session((_, _) =>
        {
            operate(store, random);
            return ValueTask.CompletedTask;
        })
        {
            Close = async () =>
            {
                await store.DisposeAsync();
                directory.Delete(recursive: true);
            },
        });
    });

    static Subject OfGroupedCommits(string system, Func<string, IKeyValueStore> open) => new(system, () =>
    {
        var directory = Directory.CreateTempSubdirectory("datacake-benchmark-");
        var commits = new GroupCommit(open(Path.Combine(directory.FullName, "store")));
        long run = 0;
        return Task.FromResult(new Session(async (worker, number) => await commits.PutAsync(KeyOf((run << 48) | ((long)worker << 32) | number), Value))
        {
            Prepare = () =>
            {
                run++;
                return ValueTask.CompletedTask;
            },
            Close = async () =>
            {
                await commits.DisposeAsync();
                directory.Delete(recursive: true);
            },
        });
    });

    /// <summary>Returns a whole node, whose replicated store groups commits itself and writes a log in addition to the documents.</summary>
    static Subject OfReplicatedStore(string engine) => new("Datacake, whole node", async () =>
    {
        var stores = new StoreKind(engine);
        var cluster = await DatacakeCluster.StartAsync(stores.Open(1));
        var documents = cluster.Stores[0].Keyspace("benchmark");
        long run = 0;
        return new Session(async (worker, number) => await documents.PutAsync((run << 48) | ((long)worker << 32) | number, Value))
        {
            Prepare = () =>
            {
                run++;
                return ValueTask.CompletedTask;
            },
            Close = async () =>
            {
                await cluster.DisposeAsync();
                stores.Dispose();
            },
        };
    });

    static byte[] KeyOf(long number)
    {
        byte[] key = new byte[16];
        BinaryPrimitives.WriteInt64BigEndian(key.AsSpan(8), number);
        return key;
    }
}
