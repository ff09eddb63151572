using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

public sealed class TlsTests : IDisposable
{
    const string Secret = "correct horse battery staple";

    static readonly byte[] Hello = "hello"u8.ToArray();
    static readonly RpcCallOptions Patient = new() { WaitForConnection = true };

    readonly TestAuthority _authority = new();
    readonly CollectingLog _log = new();

    public static TheoryData<string> Transports => Pair.Transports;

    public void Dispose() => _authority.Dispose();

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task Calls_and_streams_are_encrypted(string transport)
    {
        await using var pair = await StartAsync(Server(), Client(), transport);
        using (var reply = await pair.Channel.CallAsync("echo", "echo", Hello).Soon())
            Assert.Equal(Hello, reply.Memory.ToArray());
        var large = new byte[1_000_000];
        new Random(1).NextBytes(large);
        using (var reply = await pair.Channel.CallAsync("echo", "echo", large).Soon())
            Assert.Equal(large, reply.Memory.ToArray());
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        await stream.WriteAsync(Hello).Soon();
        using (var message = (await stream.ReadAsync().Soon())!.Value)
            Assert.Equal(Hello, message.Memory.ToArray());
        Assert.Equal(-1, pair.Transport.Written.ToArray().AsSpan().IndexOf("DCRP"u8));
        Assert.Equal(-1, pair.Transport.Written.ToArray().AsSpan().IndexOf(Hello));
    }

    [Fact]
    public async Task Nodes_with_certificates_of_one_authority_and_one_secret_connect()
    {
        var tls = Server() with { RequireClientCertificate = true };
        await using var pair = await Pair.StartAsync(
            "tcp",
            options => options with { Tls = tls, ClusterSecret = Secret },
            options => options with { Tls = tls, ClusterSecret = Secret },
            TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
    }

    [Fact]
    public async Task Secret_is_required_over_TLS_as_well()
    {
        await using var pair = await Pair.StartAsync(
            "tcp",
            options => options with { Tls = Server(), ClusterSecret = Secret, Logger = _log },
            options => options with { Tls = Client(), ClusterSecret = "another secret altogether" },
            TestService.Echo);
        await AssertRefusedAsync(pair, "differs from the server's");
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_plain_client_on_a_TLS_port_is_refused_with_a_reason(string transport)
    {
        await using var pair = await StartAsync(Server(), null, transport);
        await AssertRefusedAsync(pair, "this server requires TLS");
    }

    [Theory]
    [MemberData(nameof(Transports))]
    public async Task A_TLS_client_on_a_plain_port_is_refused_with_a_reason(string transport)
    {
        await using var pair = await StartAsync(null, Client(), transport);
        await AssertRefusedAsync(pair, "the client uses TLS, but this side does not");
    }

    [Fact]
    public async Task A_server_whose_certificate_has_expired_is_refused_with_a_reason()
    {
        await using var pair = await StartAsync(Server() with { Certificate = _authority.Issue("old", isExpired: true) }, Client());
        await AssertRefusedAsync(pair, "the server's certificate 'CN=old' or that of an issuer has expired");
    }

    [Fact]
    public async Task A_client_whose_certificate_has_expired_is_refused_with_a_reason()
    {
        await using var pair = await StartAsync(
            Server() with { RequireClientCertificate = true },
            Client() with { Certificate = _authority.Issue("old", isExpired: true) });
        await AssertRefusedAsync(pair, "the client's certificate 'CN=old' or that of an issuer has expired");
    }

    [Fact]
    public async Task A_server_of_an_unknown_issuer_is_refused_with_a_reason()
    {
        using var strangers = new TestAuthority("Strangers");
        await using var pair = await StartAsync(Server() with { Certificate = strangers.Issue("node") }, Client());
        await AssertRefusedAsync(pair, "was issued by 'CN=Strangers', which this side does not trust");
    }

    [Fact]
    public async Task A_client_of_an_unknown_issuer_is_refused_with_a_reason()
    {
        using var strangers = new TestAuthority("Strangers");
        await using var pair = await StartAsync(
            Server() with { RequireClientCertificate = true }, Client() with { Certificate = strangers.Issue("node") });
        await AssertRefusedAsync(pair, "was issued by 'CN=Strangers', which this side does not trust");
    }

    [Fact]
    public async Task Private_authority_is_not_trusted_by_default()
    {
        await using var pair = await StartAsync(Server(), new RpcTls());
        await AssertRefusedAsync(pair, "which this side does not trust");
    }

    [Fact]
    public async Task Client_without_the_required_certificate_is_refused_with_a_reason()
    {
        await using var pair = await StartAsync(Server() with { RequireClientCertificate = true }, Client());
        await AssertRefusedAsync(pair, "the client presented none");
    }

    [Fact]
    public async Task A_certificate_for_another_name_is_refused_with_a_reason()
    {
        await using var pair = await StartAsync(Server(), Client() with { ServerName = "other.example" });
        await AssertRefusedAsync(pair, "is not for the name 'other.example'");
    }

    [Fact]
    public async Task Certificate_can_contain_the_name_of_the_cluster()
    {
        var tls = Server() with { Certificate = _authority.Issue("shop.cluster") };
        await using var pair = await StartAsync(tls, Client() with { ServerName = "shop.cluster" });
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
    }

    [Fact]
    public async Task Callback_overrides_the_default_validation()
    {
        using var strangers = new TestAuthority("Strangers");
        var certificate = strangers.Issue("pinned");
        var found = SslPolicyErrors.None;
        await using var pair = await StartAsync(
            Server() with { Certificate = certificate },
            Client() with
            {
                Validate = (shown, _, errors) =>
                {
                    found = errors;
                    return shown.Thumbprint == certificate.Thumbprint;
                },
            });
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(SslPolicyErrors.RemoteCertificateChainErrors, found);
    }

    [Fact]
    public async Task Refusal_or_failure_of_a_callback_is_reported()
    {
        await using (var pair = await StartAsync(
            Server() with { RequireClientCertificate = true, Validate = (_, _, _) => false },
            Client() with { Certificate = _authority.Issue("guest") }))
            await AssertRefusedAsync(pair, "the client's certificate 'CN=guest' was refused by the Validate callback");
        await using (var pair = await StartAsync(
            Server(), Client() with { Validate = (_, _, _) => throw new InvalidOperationException("list not loaded") }))
            await AssertRefusedAsync(pair, "list not loaded");
    }

    [Fact]
    public async Task A_client_that_is_refused_reaches_no_service()
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with { Tls = Server() with { RequireClientCertificate = true }, Logger = _log },
            services: new TestService("test", handlers => handlers.HandleBytes("touch", (_, _) => throw new InvalidOperationException())));
        await using var client = await RawClient.ConnectAsync(pair.Server);
        await using var tls = new SslStream(client.Stream, leaveInnerStreamOpen: true);
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "localhost",
                CertificateChainPolicy = new X509ChainPolicy
                {
                    TrustMode = X509ChainTrustMode.CustomRootTrust,
                    CustomTrustStore = { _authority.Roots[0] },
                    RevocationMode = X509RevocationMode.NoCheck,
                },
            }).Soon();
        var call = RawClient.Frame(Framing.FrameType.Request, 1, 0, Framing.Route.Encode("test", "touch"));
        await tls.WriteAsync((byte[])[.. RawClient.Greeting(hasSecret: false), .. call]).Soon();
        var answer = new MemoryStream();
        try
        {
            await tls.CopyToAsync(answer).Soon();
        }
        catch (IOException)
        {
        }

        await Expect.Until(() => _log.Contains("presented none"));
        Assert.False(_log.Contains("handler"));
    }

    [Fact]
    public async Task Client_that_stalls_in_the_TLS_handshake_is_cut_off()
    {
        var time = new ManualTimeProvider();
        await using var pair = await Pair.StartAsync(
            server: options => options with { Tls = Server(), TimeProvider = time, Logger = _log });
        await using var client = await RawClient.ConnectAsync(pair.Server);
        await client.SendAsync(0x16, 3, 1, 2, 0);
        var cut = client.IsCutAsync();
        await Expect.Until(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return cut.IsCompleted;
        });
        await cut.Soon();
        Assert.True(_log.Contains("HandshakeTime"));
    }

    [Fact]
    public async Task Garbage_on_a_TLS_port_is_refused()
    {
        await using var pair = await StartAsync(Server(), Client());
        var random = new Random(1);
        for (var round = 0; round < 50; round++)
        {
            await using var client = await RawClient.ConnectAsync(pair.Server);
            var garbage = new byte[random.Next(5, 600)];
            random.NextBytes(garbage);
            garbage[0] = (byte)(round % 2 == 0 ? 0x17 : garbage[0] | 0x80);
            await client.SendAsync(garbage);
        }

        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await Expect.Until(() => _log.Contains("TLS with the client failed"));
    }

    [Fact]
    public async Task Client_beyond_the_connection_limit_of_a_TLS_port_is_refused_with_a_reason()
    {
        await using var pair = await Pair.StartAsync(
            "memory",
            options => options with { Tls = Server(), Limits = options.Limits with { Connections = 1 }, Logger = _log },
            options => options with { Tls = Client() },
            TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await using var second = new RpcChannel(pair.Server.Address, new RpcChannelOptions { Transport = pair.Transport, Tls = Client() });
        var failure = await second.CallAsync("echo", "echo", Hello).Fails(RpcStatus.LimitExceeded);
        Assert.Contains("Connections", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Required_client_certificates_need_trusted_issuers_or_a_callback()
    {
        var open = new RpcTls { Certificate = _authority.Issue("node"), RequireClientCertificate = true };
        var failure = await Assert.ThrowsAsync<ArgumentException>(
            async () => await RpcServer.StartAsync("127.0.0.1:0", new RpcServerOptions { Tls = open }));
        Assert.Contains("TrustedIssuers", failure.Message, StringComparison.Ordinal);
        var named = open with { Validate = (_, _, _) => false };
        await using var server = await RpcServer.StartAsync("127.0.0.1:0", new RpcServerOptions { Tls = named });
    }

    [Fact]
    public void Text_of_options_does_not_contain_the_secret()
    {
        const string Secret = "correct horse battery staple";
        Assert.DoesNotContain(Secret, new RpcServerOptions { ClusterSecret = Secret }.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, new RpcChannelOptions { ClusterSecret = Secret }.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Unusable_certificate_is_refused_at_start()
    {
        var missing = await Assert.ThrowsAsync<ArgumentException>(
            async () => await RpcServer.StartAsync("127.0.0.1:0", new RpcServerOptions { Tls = new RpcTls() }));
        Assert.Contains("needs a certificate", missing.Message, StringComparison.Ordinal);
        using var keyless = X509CertificateLoader.LoadCertificate(_authority.Issue("node").RawData);
        var failure = Assert.Throws<ArgumentException>(
            () => new RpcChannel("a:1", new RpcChannelOptions { Tls = new RpcTls { Certificate = keyless } }));
        Assert.Contains("no private key", failure.Message, StringComparison.Ordinal);
    }

    RpcTls Server() => new() { Certificate = _authority.Issue("node"), TrustedIssuers = _authority.Roots };

    RpcTls Client() => new() { TrustedIssuers = _authority.Roots };

    Task<Pair> StartAsync(RpcTls? server, RpcTls? client, string transport = "tcp") => Pair.StartAsync(
        transport,
        options => options with { Tls = server, Logger = _log },
        options => options with { Tls = client },
        TestService.Echo);

    /// <summary>Asserts that the caller sees the reason at once, although it is willing to wait, and that the server's log contains the reason.</summary>
    async Task AssertRefusedAsync(Pair pair, string reason)
    {
        var failure = await pair.Channel.CallAsync("echo", "echo", Hello, Patient).Fails(RpcStatus.Unauthenticated);
        Assert.Contains(reason, failure.Message, StringComparison.Ordinal);
        await Expect.Until(() => _log.Contains(reason));
    }
}
