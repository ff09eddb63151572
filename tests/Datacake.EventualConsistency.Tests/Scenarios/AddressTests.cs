using System.Net;
using Datacake.EventualConsistency.Tests.Fixtures;
using Datacake.Node;

namespace Datacake.EventualConsistency.Tests.Scenarios;

/// <summary>Different spellings of the same names and addresses. Fresh nodes still form one cluster.</summary>
public sealed class AddressTests
{
    /// <param name="listening">The host that a node listens on.</param>
    /// <param name="advertised">The host that the node advertises, or null for the host that it listens on.</param>
    /// <param name="seed">The host that all nodes have in their seeds.</param>
    [Theory]
    [InlineData("localhost", null, "localhost")]
    [InlineData("127.0.0.1", null, "localhost")]
    [InlineData("127.0.0.1", "LOCALHOST", "localhost")]
    [InlineData("127.0.0.1", "localhost", "127.0.0.1")]
    [InlineData("[::1]", null, "[0:0:0:0:0:0:0:1]")]
    public async Task Fresh_nodes_form_one_cluster_however_their_seeds_are_spelled(string listening, string? advertised, string seed)
    {
        if (listening == "[::1]")
            Needs.IPv6();
        await using var nodes = new ScenarioNodes();
        int[] ids = [1, 2, 3];
        var ports = ids.ToDictionary(id => id, id => IPEndPoint.Parse(nodes[id].Address).Port);
        foreach (int id in ids)
        {
            nodes[id].Seeds = [.. ports.Values.Select(port => $"{seed}:{port}")];
            await nodes.StartNodeAsync(id, configure: settings =>
            {
                settings.AllowAnyone().ListenOn($"{listening}:{ports[id]}");
                if (advertised is not null)
                    settings.AdvertiseAs($"{advertised}:{ports[id]}");
            });
        }
        await nodes.WaitUntilConnectedAsync(ids);
        foreach (int id in ids)
            await nodes[id].PutAsync(id, "cake", Consistency.All);
        await nodes.WaitUntilEqualAsync(3, ids);
    }

    [Theory]
    [InlineData(GossipTransport.Rpc)]
    [InlineData(GossipTransport.Udp)]
    public async Task Fresh_nodes_form_one_cluster_when_their_only_seed_is_a_name_that_resolves_to_all_of_them(GossipTransport transport)
    {
        Needs.OtherLoopbackAddresses();
        await using var nodes = new ScenarioNodes();
        int[] ids = [1, 2, 3];
        // Ports that are reserved on one loopback address are free on the others, at least as far as other tests are concerned.
        int port = IPEndPoint.Parse(nodes[1].Address).Port;
        foreach (int id in ids)
        {
            nodes[id].Seeds = [$"cake:{port}"];
            await nodes.StartNodeAsync(id, configure: settings =>
            {
                settings.ResolveHost = (_, _) => Task.FromResult(ids.Select(host => IPAddress.Parse($"127.0.3.{host}")).ToArray());
                settings.ListenOn($"127.0.3.{id}:{port}").WithGossipTransport(transport);
            });
        }
        await nodes.WaitUntilConnectedAsync(ids);
        foreach (int id in ids)
            await nodes[id].PutAsync(id, "cake", Consistency.All);
        await nodes.WaitUntilEqualAsync(3, ids);
    }
}
