using System.Collections.Immutable;
using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.DistributedData;

namespace Datacake.Benchmarks.Replication;

/// <summary>A cluster of Akka.DistributedData nodes in this process on loopback TCP. Each document is a register with its own key.</summary>
sealed class AkkaCluster : IAsyncDisposable
{
    public const string System = "Akka.DistributedData";

    static readonly TimeSpan Timeout = TimeSpan.FromSeconds(60);

    readonly List<ActorSystem> _systems = [];

    /// <summary>Gets the replicators of the nodes.</summary>
    public IReadOnlyList<IActorRef> Replicators => [.. _systems.Select(system => DistributedData.Get(system).Replicator)];

    /// <summary>Starts nodes and waits until they all see each other.</summary>
    /// <param name="count">The number of nodes.</param>
    /// <param name="gossipInterval">The interval at which the nodes gossip their data; null for the default of 2 s.</param>
    public static async Task<AkkaCluster> StartAsync(int count, TimeSpan? gossipInterval = null)
    {
        var cluster = new AkkaCluster();
        string milliseconds = (gossipInterval ?? TimeSpan.FromSeconds(2)).TotalMilliseconds.ToString(CultureInfo.InvariantCulture);
        var config = ConfigurationFactory.ParseString($$"""
            akka {
              # Otherwise a process that is to end waits for it.
              coordinated-shutdown.run-by-clr-shutdown-hook = off
              loglevel = OFF
              stdout-loglevel = OFF
              actor.provider = cluster
              # A busy machine is not a failure.
              cluster.failure-detector.acceptable-heartbeat-pause = 60s
              remote.watch-failure-detector.acceptable-heartbeat-pause = 60s
              remote.transport-failure-detector.acceptable-heartbeat-pause = 120s
              remote.dot-netty.tcp { hostname = "127.0.0.1", port = 0, enforce-ip-family = true }
              cluster.gossip-interval = 100ms
              cluster.leader-actions-interval = 100ms
              cluster.distributed-data.gossip-interval = {{milliseconds}}ms
            }
            """).WithFallback(DistributedData.DefaultConfig());
        for (int i = 0; i < count; i++)
            cluster._systems.Add(ActorSystem.Create("benchmark", config));
        var first = Cluster.Get(cluster._systems[0]).SelfAddress;
        foreach (var system in cluster._systems)
        {
            _ = DistributedData.Get(system);
            Cluster.Get(system).Join(first);
        }
        await DatacakeCluster.WaitUntilAsync(
            () => ValueTask.FromResult(cluster._systems.TrueForAll(
                system => Cluster.Get(system).State.Members.Count(member => member.Status == MemberStatus.Up) == count)),
            "all nodes of Akka are up", Timeout);
        foreach (var replicator in cluster.Replicators)
            await WaitUntilKnownAsync(replicator, count);
        return cluster;
    }

    /// <summary>Puts a document at a node.</summary>
    public async ValueTask PutAsync(int node, string key, byte[] value, IWriteConsistency consistency)
    {
        var system = _systems[node];
        var register = new LWWRegister<byte[]>(Cluster.Get(system).SelfUniqueAddress, value);
        var update = Dsl.Update(
            new LWWRegisterKey<byte[]>(key), register, consistency, before => before.WithValue(Cluster.Get(system).SelfUniqueAddress, value));
        var response = await DistributedData.Get(system).Replicator.Ask<IUpdateResponse>(update, Timeout);
        if (!response.IsSuccessful)
            throw new InvalidOperationException($"Akka did not put the document '{key}'. The response was: {response}");
    }

    /// <summary>Puts documents at the first node, without waiting for others.</summary>
    public Task PutManyAsync(string name, int count, byte[] value) =>
        Task.WhenAll(Enumerable.Range(0, count).Select(number => PutAsync(0, $"{name}-{number}", value, WriteLocal.Instance).AsTask()));

    /// <summary>Waits until all nodes have the documents that were put.</summary>
    public async Task WaitUntilAllHaveAsync(string name, int count, byte[] value, TimeSpan timeout)
    {
        // A node never loses a document, so wait for each document in turn and do not read it again once it is there.
        for (int node = 1; node < _systems.Count; node++)
        {
            int found = 0;
            await DatacakeCluster.WaitUntilAsync(
                async () =>
                {
                    while (found < count && await GetAsync(node, $"{name}-{found}") is { } stored && stored.AsSpan().SequenceEqual(value))
                        found++;
                    return found == count;
                },
                "all nodes of Akka have all documents", timeout);
        }
    }

    async Task<byte[]?> GetAsync(int node, string key)
    {
        var response = await DistributedData.Get(_systems[node]).Replicator.Ask<IGetResponse>(
            Dsl.Get(new LWWRegisterKey<byte[]>(key), ReadLocal.Instance), Timeout);
        return response.IsFound ? response.Get(new LWWRegisterKey<byte[]>(key)).Value : null;
    }

    public async ValueTask DisposeAsync() => await Task.WhenAll(_systems.Select(system => system.Terminate()));

    // The replicators discover each other on their own, later than the members do.
    static Task WaitUntilKnownAsync(IActorRef replicator, int count) => DatacakeCluster.WaitUntilAsync(
        async () => (await replicator.Ask<ReplicaCount>(Dsl.GetReplicaCount, Timeout)).N == count, "all replicators of Akka know each other", Timeout);
}
