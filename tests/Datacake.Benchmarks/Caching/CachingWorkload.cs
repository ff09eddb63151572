using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Replication;
using Datacake.EventualConsistency;
using Datacake.Extensions.Caching;
using Datacake.Storage;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;

namespace Datacake.Benchmarks.Caching;

/// <summary>
/// Gets and sets of the distributed caches of .NET, with values of 500 bytes that expire after an hour. Datacake has three nodes in this process, and Redis one server in another. And the time until
/// a hybrid cache has set an entry on all nodes, and removed it from their memory.
/// </summary>
static class CachingWorkload
{
    const int Nodes = 3, Keys = 10_000;
    const string Workload = "caching";

    static readonly byte[] Value = new byte[500];
    static readonly DistributedCacheEntryOptions Hour = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromHours(1) };
    static readonly string[] Names = [.. Enumerable.Range(0, Keys).Select(static number => $"benchmark:key{number}")];
    static readonly string[] Stores = [StoreKind.Memory, StoreKind.Sqlite, StoreKind.Lmdb];

    public static async Task RunAsync(Runner runner)
    {
        foreach (int clients in runner.Pace.Choose([1, 16], [1, 16]))
            await MeasureAsync(runner, $"get clients={clients}", clients, Consistency.None, GetAsync, Target.Times(RedisServer.System, 10));
        foreach (int clients in runner.Pace.Choose([1, 16], [1, 16]))
        {
            await MeasureAsync(runner, $"set level=None clients={clients}", clients, Consistency.None, SetAsync, Target.Times(RedisServer.System, 1));
            await MeasureAsync(runner, $"set level=Quorum clients={clients}", clients, Consistency.Quorum, SetAsync, Target.LatencyOf(RedisServer.System, 2));
        }
        await runner.MeasureAsync(new Cell(Workload, $"hybrid get nodes={Nodes}", new Subject(DatacakeCluster.System, OpenHybridGetAsync)) { IsolatesSystems = true });
        await runner.MeasureAsync(new Cell(Workload, $"hybrid set and remove on all nodes={Nodes}", new Subject(DatacakeCluster.System, OpenInvalidationAsync))
        {
            IsolatesSystems = true,
            Targets = [Target.Within(TimeSpan.FromMilliseconds(10))],
        });
    }

    static Task MeasureAsync(Runner runner, string name, int clients, Consistency level, Func<IDistributedCache, long, Task> operate, Target target)
    {
        List<Subject> subjects = [.. Stores.Select(kind => new Subject($"{DatacakeCluster.System}, {kind}", () => OpenAsync(kind, level, operate)))];
        if (RedisServer.IsInstalled)
            subjects.Add(new Subject(RedisServer.System, () => OpenRedisAsync(operate)));
        return runner.MeasureAsync(new Cell(Workload, name, subjects) { Workers = clients, IsolatesSystems = true, Targets = RedisServer.IsInstalled ? [target] : [] });
    }

    static async Task GetAsync(IDistributedCache cache, long number)
    {
        if (await cache.GetAsync(Names[number % Keys]) is null)
            throw new InvalidDataException("An entry is missing.");
    }

    static Task SetAsync(IDistributedCache cache, long number) => cache.SetAsync(Names[number % Keys], Value, Hour);

    static async Task<Session> OpenAsync(string kind, Consistency level, Func<IDistributedCache, long, Task> operate)
    {
        var stores = new StoreKind(kind);
        var cluster = await DatacakeCluster.StartAsync(stores.Open(Nodes));
        var cache = new DatacakeDistributedCache(cluster.Nodes[0], options => options.Consistency = level);
        await FillAsync(cache);
        return new Session((worker, number) => new ValueTask(operate(cache, (worker * 31L) + number)))
        {
            Close = async () =>
            {
                await cache.DisposeAsync();
                await cluster.DisposeAsync();
                stores.Dispose();
            },
        };
    }

    static async Task<Session> OpenRedisAsync(Func<IDistributedCache, long, Task> operate)
    {
        var redis = await RedisServer.StartAsync();
        await FillAsync(redis.Cache);
        return new Session((worker, number) => new ValueTask(operate(redis.Cache, (worker * 31L) + number))) { Close = redis.DisposeAsync };
    }

    static async Task<Session> OpenHybridGetAsync()
    {
        var (cluster, caches) = await OpenHybridAsync();
        await caches[0].SetAsync("key", "value");
        return new Session(async (_, _) =>
        {
            if (await caches[0].GetOrCreateAsync<string?>("key", static _ => ValueTask.FromResult<string?>(null)) is null)
                throw new InvalidDataException("The entry is missing.");
        })
        { Close = () => CloseAsync(cluster, caches) };
    }

    static async Task<Session> OpenInvalidationAsync()
    {
        var (cluster, caches) = await OpenHybridAsync();
        return new Session(async (_, number) =>
        {
            string key = Names[number % Keys];
            await caches[0].SetAsync(key, "value");
            foreach (var cache in caches)
                await WaitAsync(cache, key, isThere: true);
            await caches[0].RemoveAsync(key);
            foreach (var cache in caches)
                await WaitAsync(cache, key, isThere: false);
        })
        { Close = () => CloseAsync(cluster, caches) };

        static async Task WaitAsync(DatacakeHybridCache cache, string key, bool isThere)
        {
            while (await FindAsync(cache, key) is null == isThere)
                await Task.Yield();
        }
    }

    static async Task<(DatacakeCluster Cluster, DatacakeHybridCache[] Caches)> OpenHybridAsync()
    {
        var cluster = await DatacakeCluster.StartAsync([.. Enumerable.Range(0, Nodes).Select(static _ => new MemoryStorage())]);
        DatacakeHybridCache[] caches = [.. cluster.Nodes.Select(static node => new DatacakeHybridCache(node))];
        foreach (var cache in caches)
            await FindAsync(cache, "warm up");
        return (cluster, caches);
    }

    static ValueTask<string?> FindAsync(DatacakeHybridCache cache, string key) => cache.GetOrCreateAsync<string?>(
        key, static _ => ValueTask.FromResult<string?>(null), new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableUnderlyingData });

    static async ValueTask CloseAsync(DatacakeCluster cluster, DatacakeHybridCache[] caches)
    {
        foreach (var cache in caches)
            await cache.DisposeAsync();
        await cluster.DisposeAsync();
    }

    static async Task FillAsync(IDistributedCache cache)
    {
        foreach (var chunk in Names.Chunk(500))
            await Task.WhenAll(chunk.Select(name => cache.SetAsync(name, Value, Hour)));
    }
}
