using System.Text.Json;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;

namespace Datacake.Administration.Tests;

/// <summary>Nodes on loopback with their administration, and clients of it.</summary>
sealed class Fixture : IAsyncDisposable
{
    public const string Secret = "an operator's secret";

    readonly ReservedAddresses _reserved = new();
    readonly List<DatacakeNode> _nodes = [];
    string[] _addresses = [];

    public CollectingLog Log { get; } = new();

    public DatacakeNode this[int id] => _nodes.Single(node => node.Id == id);

    public static async Task<Fixture> StartAsync(int count, Action<DatacakeNodeOptions>? configure = null)
    {
        var fixture = new Fixture();
        fixture._addresses = fixture._reserved.Next(count);
        for (int id = 1; id <= count; id++)
            await fixture.StartNodeAsync(id, configure);
        foreach (var node in fixture._nodes)
            await (await node.OpenStoreAsync()).WaitForMembersAsync(count, Eventually.Deadline);
        return fixture;
    }

    public async Task<DatacakeNode> StartNodeAsync(int id, Action<DatacakeNodeOptions>? configure = null)
    {
        var node = await DatacakeNode.StartAsync(options =>
        {
            options.WithNodeId(id).ListenOn(_addresses[id - 1]).WithSeeds(_addresses).WithGossip(gossip => gossip.UseLocal()).WithLoggerFactory(Log)
                .WithAdministration(static administration => administration.OperatorSecret = Secret);
            if (configure is null)
                options.UseMemory();
            else
                configure(options);
        });
        _nodes.Add(node);
        await node.OpenStoreAsync();
        await node.OpenAdministrationAsync();
        return node;
    }

    /// <summary>Returns a client of a node that knows the operator secret, or another one, or none.</summary>
    public AdministrationClient ClientOf(int id, string? secret = Secret, string? store = null) => new(this[id].ChannelTo(this[id].Address), options =>
    {
        options.Store = store;
        options.OperatorSecret = secret;
        options.OperatorName = "Ada";
    });

    public static JsonElement Json(string text) => JsonElement.Parse(text);

    public async Task StopAsync(int id)
    {
        var node = this[id];
        _nodes.Remove(node);
        await node.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        _reserved.Dispose();
    }
}
