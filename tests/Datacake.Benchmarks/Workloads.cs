using Datacake.Benchmarks.Caching;
using Datacake.Benchmarks.Crdt;
using Datacake.Benchmarks.Measuring;
using Datacake.Benchmarks.Orm;
using Datacake.Benchmarks.PostgreSql;
using Datacake.Benchmarks.Replication;
using Datacake.Benchmarks.Rpc;
using Datacake.Benchmarks.Scale;
using Datacake.Benchmarks.Serial;
using Datacake.Benchmarks.SignalR;
using Datacake.Benchmarks.Storage;
using Datacake.Benchmarks.Sync;

namespace Datacake.Benchmarks;

/// <summary>The workloads by name, in the order in which they run.</summary>
static class Workloads
{
    public static IReadOnlyList<(string Name, Func<Runner, Task> RunAsync)> All { get; } =
    [
        ("replication", ReplicationWorkload.RunAsync),
        ("serial", SerialWorkload.RunAsync),
        ("orm", OrmWorkload.RunAsync),
        ("postgresql", PostgreSqlWorkload.RunAsync),
        ("scale", ScaleWorkload.RunAsync),
        ("rpc", RpcWorkload.RunAsync),
        ("storage", StorageWorkload.RunAsync),
        ("sync", SyncWorkload.RunAsync),
        ("crdt", CrdtWorkload.RunAsync),
        ("caching", CachingWorkload.RunAsync),
        ("signalr", SignalRWorkload.RunAsync),
    ];

    /// <exception cref="FormatException">There is no such workload.</exception>
    public static IReadOnlyList<Func<Runner, Task>> Find(string name)
    {
        Func<Runner, Task>[] found = [.. All.Where(workload => name == "all" || workload.Name == name).Select(workload => workload.RunAsync)];
        return found.Length > 0
            ? found
            : throw new FormatException($"The workload '{name}' is unknown. The workloads are {string.Join(", ", All.Select(workload => workload.Name))} and all.");
    }
}
