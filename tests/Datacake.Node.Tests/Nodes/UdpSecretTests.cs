using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc;

namespace Datacake.Node.Tests;

/// <summary>Nodes that gossip in datagrams and share a secret, among strangers that reach their ports.</summary>
public sealed class UdpSecretTests : IAsyncLifetime
{
    const string Secret = "the secret of the cluster";
    const string NextSecret = "the secret of next year";

    readonly List<DatacakeNode> _nodes = [];
    readonly ReservedAddresses _addresses = new();
    readonly CollectingLog _log = new();

    static TimeSpan Soon => Eventually.Deadline;

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.StopAbruptlyAsync().AsTask()));
        _addresses.Dispose();
        _log.Dispose();
    }

    [Fact]
    public async Task Nodes_that_share_the_secret_find_each_other_before_and_after_a_restart()
    {
        var first = await StartAsync(1, Secret);
        var second = await StartAsync(2, Secret, seeds: [first.Address]);
        await first.WaitForNodesAsync(2, Soon, Stop);
        await second.WaitForNodesAsync(2, Soon, Stop);
        await second.StopAbruptlyAsync();
        _nodes.Remove(second);
        await StartAsync(2, Secret, second.Address, [first.Address]);
        await Eventually.WaitUntilAsync(
            () => first.Members.Any(member => member.NodeId == 2 && member.State == MemberState.Up && member.Generation > second.Generation),
            "the next life of node 2 is seen");
    }

    [Fact]
    public async Task Nodes_that_change_their_secret_one_by_one_stay_connected()
    {
        var first = await StartAsync(1, Secret, accepted: [NextSecret]);
        var second = await StartAsync(2, NextSecret, seeds: [first.Address], accepted: [Secret]);
        await first.WaitForNodesAsync(2, Soon, Stop);
        await second.WaitForNodesAsync(2, Soon, Stop);
    }

    [Fact]
    public async Task Node_that_answers_from_an_address_other_than_the_dialed_one_is_found()
    {
        Needs.OtherLoopbackAddresses();
        // The node listens on all addresses, so that the operating system chooses the address that it answers from.
        var port = IPEndPoint.Parse(_addresses.Next()).Port;
        var first = await StartAsync(1, Secret, $"0.0.0.0:{port}", advertised: $"127.0.0.2:{port}");
        var second = await StartAsync(2, Secret, seeds: [first.Address]);
        await first.WaitForNodesAsync(2, Soon, Stop);
        await second.WaitForNodesAsync(2, Soon, Stop);
    }

    [Fact]
    public async Task Stranger_gets_no_answer_and_changes_nothing()
    {
        var node = await StartAsync(1, Secret);
        using var stranger = new RawUdpPeer(_addresses.Next(), "9", ("node.address", "10.0.0.9:7001"));
        await stranger.SendSynAsync(IPEndPoint.Parse(node.Address), "datacake", Stop);
        await Eventually.WaitUntilAsync(() => _log.Contains("was dropped because no node of the cluster has sealed it"), "the stranger is logged");
        Assert.Single(node.Members);
        using var socket = new UdpClient(0, AddressFamily.InterNetwork);
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            var garbage = new byte[random.Next(1, 2_000)];
            random.NextBytes(garbage);
            if (i % 2 == 0)
                garbage[0] = 1;     // The version byte.
            await socket.SendAsync(garbage, garbage.Length, IPEndPoint.Parse(node.Address));
        }

        var other = await StartAsync(2, Secret, seeds: [node.Address]);
        await node.WaitForNodesAsync(2, Soon, Stop);
        Assert.Equal(0, socket.Available);
        Assert.Equal([1, 2], other.Members.Select(member => (int)member.NodeId));
        Assert.Equal(1, _log.Count("was dropped because no node of the cluster has sealed it"));
    }

    [Fact]
    public async Task Datagram_gossip_with_TLS_but_without_a_secret_is_refused_at_start()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        using var certificate = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256).CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        var failure = await Assert.ThrowsAsync<InvalidOperationException>(async () => await DatacakeNode.StartAsync(
            options => options.WithNodeId(1).ListenOn("127.0.0.1:0").WithGossipTransport(GossipTransport.Udp).WithTls(new RpcTls { Certificate = certificate }),
            Stop));
        Assert.Contains("which does not cover gossip over UDP. Protect the gossip with WithClusterSecret", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("0123456789abcde", "has 15 characters; at least 16 are required")]
    [InlineData("aabbccddeeaabbccddee", "fewer than 6 different characters")]
    public void A_weak_secret_is_refused(string secret, string reason)
    {
        var failure = Assert.Throws<ArgumentException>(() => new DatacakeNodeOptions().WithClusterSecret(secret));
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
    }

    async Task<DatacakeNode> StartAsync(
        int nodeId, string secret, string? address = null, string[]? seeds = null, string[]? accepted = null, string? advertised = null)
    {
        var node = await DatacakeNode.StartAsync(
            options =>
            {
                options.WithNodeId(nodeId).ListenOn(address ?? _addresses.Next()).WithSeeds(seeds ?? [])
                    .WithClusterSecret(secret).WithAcceptedClusterSecrets(accepted ?? [])
                    .WithGossipTransport(GossipTransport.Udp).WithGossip(gossip => gossip.UsePatient()).WithLoggerFactory(_log);
                if (advertised is not null)
                    options.AdvertiseAs(advertised);
            },
            Stop);
        _nodes.Add(node);
        return node;
    }
}
