using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Datacake.Node.Tests;

/// <summary>Seeds that are named by their hosts, with a name service of the test's own.</summary>
public sealed class SeedAddressesTests
{
    readonly ConcurrentDictionary<string, string[]> _hosts = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Names_are_resolved_anew_each_time_and_one_that_cannot_be_keeps_its_addresses()
    {
        using var log = new CollectingLog();
        var seeds = new SeedAddresses(["shop:7001", "bank:7002", "10.0.0.9:7003"], ResolveAsync, log);
        _hosts["shop"] = ["10.0.0.1"];
        _hosts["bank"] = ["10.0.0.2", "10.0.0.3", "::1"];
        Assert.Equal(["10.0.0.1:7001", "10.0.0.2:7002", "10.0.0.3:7002", "10.0.0.9:7003", "[::1]:7002"], await FoundAsync(seeds));
        Assert.Equal("shop:7001", seeds.NameOf(IPEndPoint.Parse("10.0.0.1:7001")));
        Assert.Equal("10.0.0.3:7002", seeds.NameOf(IPEndPoint.Parse("10.0.0.3:7002")));

        _hosts["shop"] = ["10.0.0.4"];
        _hosts.TryRemove("bank", out _);
        Assert.Equal(["10.0.0.2:7002", "10.0.0.3:7002", "10.0.0.4:7001", "10.0.0.9:7003", "[::1]:7002"], await FoundAsync(seeds));
        Assert.Null(seeds.NameOf(IPEndPoint.Parse("10.0.0.1:7001")));
        Assert.Contains(log.Messages, line => line.Contains("The seed 'bank:7002' cannot be resolved", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_joins_when_the_name_of_its_seed_comes_to_stand_for_a_node_that_runs()
    {
        await using var seed = await StartAsync(1);
        var port = seed.Address[(seed.Address.LastIndexOf(':') + 1)..];
        await using var node = await StartAsync(2, $"localhost:{port}");
        Assert.Single(node.Members);
        _hosts["localhost"] = ["127.0.0.1"];
        await node.WaitForNodesAsync([1, 2], Eventually.Deadline, Stop);
    }

    Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => _hosts.TryGetValue(host, out var addresses)
        ? Task.FromResult(addresses.Select(IPAddress.Parse).ToArray())
        : Task.FromException<IPAddress[]>(new SocketException((int)SocketError.HostNotFound));

    static async Task<string[]> FoundAsync(SeedAddresses seeds)
        => [.. (await seeds.ResolveAsync(Stop)).Select(endpoint => endpoint.ToString()).Order(StringComparer.Ordinal)];

    ValueTask<DatacakeNode> StartAsync(int nodeId, params string[] seeds) => DatacakeNode.StartAsync(
        options =>
        {
            options.ResolveHost = ResolveAsync;
            options.WithNodeId(nodeId).ListenOn("127.0.0.1:0").WithSeeds(seeds).WithGossip(gossip =>
            {
                gossip.UseLocal();
                gossip.SeedResolveInterval = TimeSpan.FromMilliseconds(50);
            });
        },
        Stop);
}
