using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Datacake.Node.Network;

namespace Datacake.Node.Tests;

/// <summary>Seeds that are given by host names, with the test's own name service.</summary>
public sealed class SeedsTests
{
    readonly ConcurrentDictionary<string, string[]> _hosts = new();

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Names_are_resolved_anew_each_time_and_a_failing_one_keeps_its_endpoints()
    {
        using var log = new CollectingLog();
        var seeds = new Seeds(["shop:7001", "bank:7002", "10.0.0.9:7003"], ResolveAsync, TimeProvider.System, log);
        _hosts["shop"] = ["10.0.0.1"];
        _hosts["bank"] = ["10.0.0.2", "10.0.0.3", "::1"];
        Assert.Equal(
            ["10.0.0.1:7001 shop", "10.0.0.2:7002 bank", "10.0.0.3:7002 bank", "10.0.0.9:7003 ", "[::1]:7002 bank"], await FoundAsync(seeds));

        _hosts["shop"] = ["10.0.0.4"];
        _hosts.TryRemove("bank", out _);
        string[] expected = ["10.0.0.2:7002 bank", "10.0.0.3:7002 bank", "10.0.0.4:7001 shop", "10.0.0.9:7003 ", "[::1]:7002 bank"];
        Assert.Equal(expected, await FoundAsync(seeds));
        await FoundAsync(seeds);
        Assert.Equal(1, log.Count("The seed 'bank:7002' cannot be resolved"));

        _hosts["bank"] = ["10.0.0.2"];
        await FoundAsync(seeds);
        Assert.True(log.Contains("The seed 'bank:7002' can be resolved again"));
    }

    [Fact]
    public async Task Node_joins_once_the_name_of_its_seed_resolves_to_a_live_node()
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

    static async Task<string[]> FoundAsync(Seeds seeds)
    {
        await seeds.ResolveAsync(Stop);
        return [.. seeds.Targets.Select(target => $"{target.Address} {target.ServerName}").Order(StringComparer.Ordinal)];
    }

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
