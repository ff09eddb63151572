using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc.Handshake;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>Certificates that expire after one of the issuers between them and their root, with a manual clock.</summary>
public sealed class ChainExpiryTests : IDisposable
{
    static readonly byte[] Hello = "hello"u8.ToArray();
    static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    static readonly RpcLimits Calm = new() { KeepAlive = TimeSpan.FromDays(30), IdleTime = Timeout.InfiniteTimeSpan };

    readonly DateTimeOffset _start = DateTimeOffset.UtcNow;
    readonly TestAuthority _root = new();
    readonly List<TestAuthority> _intermediates = [];
    readonly CertificateFiles _files = new();
    readonly CollectingLog _log = new();
    readonly ManualTimeProvider _time;

    public ChainExpiryTests() => _time = new ManualTimeProvider(_start);

    public void Dispose()
    {
        foreach (var intermediate in _intermediates)
            intermediate.Dispose();
        _root.Dispose();
        _files.Dispose();
        _log.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Issuer_that_expires_before_the_certificate_is_logged_by_name(bool isFile)
    {
        var issuer = NewIssuer("Issuer", 30);
        var certificate = Issue(issuer, "node");
        _files.Write(certificate, issuer.Certificate);
        var tls = (isFile ? FromFiles() : new RpcTls { Certificate = certificate, Intermediates = [issuer.Certificate] }) with { ReloadInterval = Hour };
        await using var pair = await StartAsync(tls);
        var status = tls.CertificateStatus!;
        Assert.Equal(("CN=node", "CN=Issuer"), (status.Subject, status.FirstToExpire));
        Assert.Equal(30, (status.ExpiresAt - _start).TotalDays, 0.1);
        Assert.Equal(16, (status.RenewBy - _start).TotalDays, 0.1);
        _time.Advance(TimeSpan.FromDays(15.9));
        Assert.False(_log.Contains("has not been renewed"));
        _time.Advance(TimeSpan.FromDays(0.2));
        Assert.Equal(1, _log.Count("RPC certificate 'CN=Issuer', an issuer of 'CN=node', expires at"));
        _time.Advance(TimeSpan.FromDays(14));
        Assert.Equal(1, _log.Count("RPC certificate 'CN=Issuer', an issuer of 'CN=node', expired at"));
    }

    [Fact]
    public async Task Renewed_issuer_of_the_same_certificate_ends_the_warning()
    {
        var issuer = NewIssuer("Issuer", 5);
        var certificate = Issue(issuer, "node");
        _files.Write(certificate, issuer.Certificate);
        var tls = FromFiles();
        await using var pair = await StartAsync(tls);
        Assert.Equal(1, _log.Count("has not been renewed"));
        Assert.Equal("CN=Issuer", tls.CertificateStatus!.FirstToExpire);

        using var renewed = _root.Renew(issuer, _start.AddDays(-1), _start.AddDays(700));
        _files.Write(certificate, renewed);
        _time.Advance(Hour);
        Assert.Equal(2, _log.Count("RPC uses the certificate 'CN=node'"));
        Assert.Equal("CN=node", tls.CertificateStatus.FirstToExpire);
        _time.Advance(TimeSpan.FromDays(3));
        Assert.Equal(1, _log.Count("has not been renewed"));
    }

    [Fact]
    public async Task Renewed_certificate_with_an_expired_issuer_leaves_the_previous_one_in_use()
    {
        _files.Write(_root.Issue("first"));
        var tls = FromFiles();
        await using var pair = await StartAsync(tls);
        var issuer = NewIssuer("Issuer", -1);
        _files.Write(Issue(issuer, "second"), issuer.Certificate);
        _time.Advance(Hour);
        Assert.Equal("CN=first", tls.CertificateStatus!.Subject);
        Assert.Contains("'CN=second' with its issuers is valid only from", tls.CertificateStatus.ReloadError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Certificates_in_the_file_that_are_not_issuers_are_ignored()
    {
        var issuer = NewIssuer("Issuer", 300);
        _files.Write(Issue(issuer, "node"), issuer.Certificate, NewIssuer("Another", 1).Certificate);
        var tls = FromFiles();
        await using var pair = await StartAsync(tls);
        Assert.Equal("CN=Issuer", tls.CertificateStatus!.FirstToExpire);
        Assert.False(_log.Contains("has not been renewed"));
    }

    [Fact]
    public async Task Connection_ends_before_an_issuer_expires_and_is_reopened_with_the_renewed_chain()
    {
        var issuer = NewIssuer("First issuer", 1);
        _files.Write(Issue(issuer, "node"), issuer.Certificate);
        await using var pair = await StartAsync(FromFiles());
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        var read = stream.ReadAsync().AsTask();
        var second = NewIssuer("Second issuer", 100);
        _files.Write(Issue(second, "node"), second.Certificate);
        _time.Advance(23 * Hour);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(1, pair.Transport.Attempts);
        Assert.False(read.IsCompleted);

        _time.Advance(Hour);
        await read.Fails(RpcStatus.Connection);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(2, pair.Transport.Attempts);
    }

    [Fact]
    public async Task Both_sides_of_a_connection_know_when_the_first_issuer_of_either_expires()
    {
        var early = NewIssuer("Early", 10);
        var late = NewIssuer("Late", 20);
        using var server = NewHandshake(early, "server");
        using var client = NewHandshake(late, "client");
        var network = new InMemoryTransport();
        await using var listener = await network.ListenAsync("server:1");
        var connecting = network.ConnectAsync("server:1").AsTask();
        await using var accepted = await listener.AcceptAsync();
        await using var connected = await connecting;
        var accepting = server.AcceptAsync(accepted.Stream, default).AsTask();
        var (clientStream, _, clientEnd) = await client.ConnectAsync(connected.Stream, "localhost:1", default).AsTask().Soon();
        var (serverStream, refusal, serverEnd) = await accepting.Soon();
        await using (clientStream)
        await using (serverStream)
        {
            Assert.Null(refusal);
            Assert.Equal(10, (clientEnd - _start)!.Value.TotalDays, 0.1);
            Assert.Equal(clientEnd, serverEnd);
        }

        TlsHandshake NewHandshake(TestAuthority issuer, string name)
        {
            var tls = new RpcTls
            {
                Certificate = Issue(issuer, name),
                Intermediates = [issuer.Certificate],
                TrustedIssuers = _root.Roots,
                RequireClientCertificate = true,
            };
            tls.Check(isServer: true);
            return new TlsHandshake(tls, _time, _log);
        }
    }

    TestAuthority NewIssuer(string name, double days)
    {
        var issuer = _root.IssueAuthority(name, _start.AddDays(-300), _start.AddDays(days));
        _intermediates.Add(issuer);
        return issuer;
    }

    X509Certificate2 Issue(TestAuthority issuer, string name) =>
        issuer.Issue(name, _start.AddDays(-100), _start.AddDays(400));

    RpcTls FromFiles() => new() { CertificateFile = _files.Certificate, CertificateKeyFile = _files.Key, TrustedIssuers = _root.Roots };

    Task<Pair> StartAsync(RpcTls tls) => Pair.StartAsync(
        server: options => options with { Tls = tls, Limits = Calm, TimeProvider = _time, Logger = _log },
        channel: options => options with { Tls = new RpcTls { TrustedIssuers = _root.Roots }, Limits = Calm, TimeProvider = _time },
        services: TestService.Echo);
}
