using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc;

namespace Datacake.Node.Tests;

/// <summary>Real nodes over mutual TLS on loopback, with certificates of an authority that exists only during the test.</summary>
public sealed class SecureClusterTests : IAsyncLifetime
{
    const string Secret = "correct horse battery staple";

    static TimeSpan Soon => Eventually.Deadline;

    readonly List<DatacakeNode> _nodes = [];
    readonly List<X509Certificate2> _certificates = [];
    readonly CollectingLog _log = new();
    readonly X509Certificate2 _root = NewRoot("Cluster");

    static CancellationToken Stop => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_nodes.Select(node => node.StopAbruptlyAsync().AsTask()));
        foreach (var certificate in _certificates)
            certificate.Dispose();
        _root.Dispose();
    }

    [Fact]
    public async Task Three_nodes_over_mutual_TLS_with_a_secret_find_each_other_and_call_each_other()
    {
        var first = await StartAsync(1, [], NewTls(_root), Secret);
        var second = await StartAsync(2, [first.Address], NewTls(_root), Secret);
        var third = await StartAsync(3, [first.Address], NewTls(_root), Secret);
        foreach (var node in _nodes)
            await node.WaitForNodesAsync([1, 2, 3], Soon, Stop);

        var caches = new List<CacheInvalidation>();
        foreach (var node in _nodes)
            caches.Add(await node.AddExtensionAsync(new CacheInvalidation(), Stop));
        Assert.Equal("old", caches[1].GetOrAdd("price", _ => "old"));
        await caches[0].InvalidateAsync("price", Stop);
        Assert.Equal("new", caches[1].GetOrAdd("price", _ => "new"));
        Assert.NotEqual(second.Address, third.Address);
    }

    [Fact]
    public async Task Node_with_another_secret_is_refused_and_both_sides_log_the_reason()
    {
        var first = await StartAsync(1, [], NewTls(_root), Secret);
        await StartAsync(2, [first.Address], NewTls(_root), "another secret altogether");
        await AssertStrangersAsync("cluster secret differs");
    }

    [Fact]
    public async Task Wrong_secret_is_logged_when_it_begins_and_ends_and_not_in_every_round()
    {
        const int Rounds = 20;
        using var addresses = new ReservedAddresses();
        var seeds = addresses.Next(2);
        await StartAsync(1, seeds, null, Secret, options => options.ListenOn(seeds[0]));
        var second = await StartAsync(2, seeds, null, "another secret altogether", options => options.ListenOn(seeds[1]));
        await Eventually.WaitUntilAsync(
            () => seeds.All(seed => _log.Count($"Gossip with {seed} failed") >= Rounds), $"each node is refused in {Rounds} rounds");
        // Rounds are logged only at the debug level.
        string[] logged = [.. _log.Messages.Where(
            message => message.Contains("secret", StringComparison.Ordinal) && !message.StartsWith("Gossip with", StringComparison.Ordinal))];
        Assert.Equal(2, logged.Count(message => message.StartsWith("RPC channel could not connect to", StringComparison.Ordinal)));
        Assert.Equal(2, logged.Count(message => message.StartsWith("RPC peer 127.0.0.1:", StringComparison.Ordinal)));
        Assert.Equal(4, logged.Length);
        Assert.False(_log.Contains("is connected again"));

        await second.StopAbruptlyAsync();
        await StartAsync(2, seeds, null, Secret, options => options.ListenOn(seeds[1]));
        await _nodes[0].WaitForNodesAsync([1, 2], Soon, Stop);
        await _log.WaitUntilAsync($"RPC channel to {seeds[1]} is connected again after");
        Assert.Equal(1, _log.Count("is connected again"));
    }

    [Fact]
    public async Task Node_without_a_certificate_is_refused_and_both_sides_log_the_reason()
    {
        var first = await StartAsync(1, [], NewTls(_root), Secret);
        await StartAsync(2, [first.Address], null, Secret);
        await AssertStrangersAsync("this server requires TLS");
    }

    [Fact]
    public async Task Node_of_another_authority_is_refused_and_both_sides_log_the_reason()
    {
        using var strangers = NewRoot("Strangers");
        var first = await StartAsync(1, [], NewTls(_root), Secret);
        await StartAsync(2, [first.Address], NewTls(strangers) with { TrustedIssuers = [_root] }, Secret);
        await AssertStrangersAsync("was issued by 'CN=Strangers', which this side does not trust");
    }

    [Fact]
    public async Task Nodes_with_host_names_in_their_certificates_find_each_other_by_name()
    {
        var first = await StartNamedAsync(1, []);
        var second = await StartNamedAsync(2, [first.Address]);
        await StartNamedAsync(3, [second.Address]);
        foreach (var node in _nodes)
            await node.WaitForNodesAsync([1, 2, 3], Soon, Stop);
        Assert.All(_nodes[0].Members, member => Assert.StartsWith("localhost:", member.Address, StringComparison.Ordinal));

        Task<DatacakeNode> StartNamedAsync(int nodeId, string[] seeds) => StartAsync(
            nodeId,
            seeds,
            NewTls(_root) with { Certificate = Issue(_root, names => names.AddDnsName("localhost")) },
            Secret,
            options => options.ListenOn("localhost:0"));
    }

    [Fact]
    public async Task Node_at_one_of_several_addresses_of_a_name_needs_a_certificate_for_that_name()
    {
        string[] hosts = ["127.0.0.2", "127.0.0.3"];
        using var port = new ReservedPort(hosts);
        var first = await StartNamedAsync(1, hosts[0], "cake");
        var second = await StartNamedAsync(2, hosts[1], "another");
        var third = await StartNamedAsync(3, "127.0.0.1", "cake");
        await Eventually.WaitUntilAsync(
            () => third.SeedContacts is [{ State: SeedContactState.Reached, NodeId: 1 }, { State: SeedContactState.NotReached, Failure: not null }],
            () => string.Join(", ", third.SeedContacts));
        Assert.Contains("is not for the name 'cake'", third.SeedContacts[1].Failure, StringComparison.Ordinal);

        Task<DatacakeNode> StartNamedAsync(int nodeId, string host, string name) => StartAsync(
            nodeId,
            nodeId == 3 ? [$"cake:{port.Number}"] : [],
            NewTls(_root) with { Certificate = Issue(_root, names => names.AddDnsName(name)) },
            Secret,
            options =>
            {
                options.ResolveHost = (_, _) => Task.FromResult(hosts.Select(IPAddress.Parse).ToArray());
                options.ListenOn(nodeId == 3 ? $"{host}:0" : $"{host}:{port.Number}");
            });
    }

    [Fact]
    public void Short_secret_and_certificate_without_a_key_are_refused()
    {
        var options = new DatacakeNodeOptions();
        Assert.Contains(
            "at least 16", Assert.Throws<ArgumentException>(() => options.WithClusterSecret("short")).Message, StringComparison.Ordinal);
        Assert.Contains(
            "private key", Assert.Throws<ArgumentException>(() => options.WithTls(new RpcTls())).Message, StringComparison.Ordinal);
        options.WithClusterSecret(Secret).WithTls(NewTls(_root));
        var twice = Assert.Throws<InvalidOperationException>(() => options.WithClusterSecret(Secret));
        Assert.Contains("set twice", twice.Message, StringComparison.Ordinal);
    }

    /// <summary>Asserts that the two nodes do not become members of one cluster, and that the channel and the server have each logged the reason.</summary>
    async Task AssertStrangersAsync(string reason)
    {
        await _log.WaitUntilAsync("could not connect", reason);
        await _log.WaitUntilAsync("was refused", reason);
        Assert.All(_nodes, node => Assert.Single(node.Members));
    }

    async Task<DatacakeNode> StartAsync(
        int nodeId, string[] seeds, RpcTls? tls, string secret, Action<DatacakeNodeOptions>? listen = null)
    {
        listen ??= static options => options.ListenOn("127.0.0.1:0");
        var node = await DatacakeNode.StartAsync(
            options =>
            {
                listen(options);
                options.WithNodeId(nodeId).WithSeeds(seeds).WithClusterSecret(secret)
                    .WithGossip(gossip => gossip.UseLocal()).WithLoggerFactory(_log);
                if (tls is not null)
                    options.WithTls(tls);
            },
            Stop);
        _nodes.Add(node);
        return node;
    }

    RpcTls NewTls(X509Certificate2 authority) => new()
    {
        Certificate = Issue(authority),
        TrustedIssuers = [authority],
        RequireClientCertificate = true,
    };

    X509Certificate2 Issue(X509Certificate2 authority, Action<SubjectAlternativeNameBuilder>? addNames = null)
    {
        addNames ??= static names => names.AddIpAddress(IPAddress.Loopback);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        addNames(names);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(authority, authority.NotBefore, authority.NotAfter, RandomNumberGenerator.GetBytes(8));
        var certificate = issued.CopyWithPrivateKey(key);
        _certificates.Add(certificate);
        return certificate;
    }

    static X509Certificate2 NewRoot(string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
    }
}
