using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class SecretRotationTests
{
    const string Old = "the secret of last year";
    const string New = "the secret of this year";
    const string Other = "a secret of somebody else";

    static readonly byte[] Hello = "hello"u8.ToArray();

    [Fact]
    public async Task Cluster_changes_its_secret_node_by_node_and_all_nodes_can_connect_at_any_time()
    {
        // The three rounds of the documentation: the secret used to connect, and the accepted secrets.
        (string Secret, string[] Accepted)[] rounds = [(Old, [New]), (New, [Old]), (New, [])];
        var nodes = new List<Node>();
        try
        {
            for (var node = 0; node < 3; node++)
                nodes.Add(await Node.StartAsync(Old, []));
            await AllTalkAsync(nodes);
            foreach (var (secret, accepted) in rounds)
            {
                for (var node = 0; node < nodes.Count; node++)
                {
                    await nodes[node].DisposeAsync();
                    nodes[node] = await Node.StartAsync(secret, accepted);
                    await AllTalkAsync(nodes);
                }
            }

            await using var late = new RpcChannel(nodes[0].Server.Address, new RpcChannelOptions { ClusterSecret = Old });
            await late.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
        }
        finally
        {
            foreach (var node in nodes)
                await node.DisposeAsync();
        }
    }

    [Fact]
    public async Task Server_that_accepts_several_secrets_refuses_all_others()
    {
        await using var node = await Node.StartAsync(New, [Old]);
        await using var stranger = new RpcChannel(node.Server.Address, new RpcChannelOptions { ClusterSecret = Other });
        var failure = await stranger.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
        Assert.Contains("differs from the server's", failure.Message, StringComparison.Ordinal);
        await using var plain = new RpcChannel(node.Server.Address);
        await plain.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
    }

    [Fact]
    public async Task Accepted_secret_that_is_short_or_without_a_cluster_secret_is_refused_at_start()
    {
        var tooShort = await Assert.ThrowsAsync<ArgumentException>(() => Node.StartAsync(New, ["short"]));
        Assert.Contains("AcceptedClusterSecrets has 5 characters", tooShort.Message, StringComparison.Ordinal);
        var alone = await Assert.ThrowsAsync<ArgumentException>(() => Node.StartAsync(null, [Old]));
        Assert.Contains("Set ClusterSecret", alone.Message, StringComparison.Ordinal);
    }

    static async Task AllTalkAsync(List<Node> nodes)
    {
        foreach (var from in nodes)
        {
            foreach (var to in nodes)
            {
                await using var channel = new RpcChannel(to.Server.Address, new RpcChannelOptions { ClusterSecret = from.Secret });
                (await channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
            }
        }
    }

    sealed class Node : IAsyncDisposable
    {
        Node(RpcServer server, string? secret) => (Server, Secret) = (server, secret);

        public RpcServer Server { get; }

        public string? Secret { get; }

        public static async Task<Node> StartAsync(string? secret, string[] accepted)
        {
            var options = new RpcServerOptions { ClusterSecret = secret, AcceptedClusterSecrets = accepted };
            var server = await RpcServer.StartAsync("127.0.0.1:0", options);
            server.AddService(TestService.Echo);
            return new Node(server, secret);
        }

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
