using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc.Tests.Fixtures;

namespace Datacake.Rpc.Tests;

/// <summary>Certificates and trusted issuers that change while servers and channels run, on real sockets and with a manual clock.</summary>
public sealed class CertificateRenewalTests : IDisposable
{
    static readonly byte[] Hello = "hello"u8.ToArray();
    static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    static readonly RpcLimits Calm = new() { KeepAlive = TimeSpan.FromDays(30), IdleTime = Timeout.InfiniteTimeSpan };
    static readonly RpcCallOptions Patient = new() { WaitForConnection = true };

    readonly TestAuthority _authority = new();
    readonly CertificateFiles _files = new();
    readonly CollectingLog _log = new();
    readonly ConcurrentQueue<string> _shown = [];       // The subjects that the other side has presented, in order.
    readonly DateTimeOffset _start = DateTimeOffset.UtcNow;
    readonly ManualTimeProvider _time;
    readonly TaskCompletionSource _slowStarted = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _slowMayEnd = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public CertificateRenewalTests() => _time = new ManualTimeProvider(_start);

    public static TheoryData<string, string> Sources =>
        [.. from side in (string[])["server", "channel"] from source in (string[])["callback", "files", "links"] select (side, source)];

    public void Dispose()
    {
        _authority.Dispose();
        _files.Dispose();
        _log.Dispose();
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public async Task Renewed_certificate_is_used_by_new_connections_and_does_not_affect_open_ones(string side, string source)
    {
        var current = _authority.Issue("first");
        Renew("first");
        var renewing = source == "callback"
            ? new RpcTls { CertificateCallback = () => current, TrustedIssuers = _authority.Roots }
            : new RpcTls { CertificateFile = _files.Certificate, CertificateKeyFile = _files.Key, TrustedIssuers = _authority.Roots };
        await using var pair = await StartAsync(side, renewing);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Renew("second");
        _time.Advance(Minute);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(1, pair.Transport.Attempts);

        await ReconnectAsync(pair);
        Assert.Equal(["CN=first", "CN=second"], _shown);
        Assert.Equal("CN=second", renewing.CertificateStatus!.Subject);
        Assert.Equal(1, _log.Count("RPC uses the certificate 'CN=second'"));

        void Renew(string name)
        {
            current = _authority.Issue(name);
            if (source == "files")
                _files.Write(current);
            else if (source == "links")
                _files.Swap(current);
        }
    }

    [Theory]
    [InlineData("text that is no certificate", "could not be loaded")]
    [InlineData("key of another certificate", "could not be loaded")]
    [InlineData("missing file", "could not be loaded")]
    [InlineData("expired certificate", "is valid only from")]
    [InlineData("certificate of the future", "is valid only from")]
    public async Task Broken_renewed_certificate_leaves_the_previous_one_in_use(string fault, string reason)
    {
        _files.Write(_authority.Issue("first"));
        var renewing = FromFiles();
        await using var pair = await StartAsync("server", renewing);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        switch (fault)
        {
            case "text that is no certificate":
                File.WriteAllText(_files.Certificate, "-----BEGIN CERTIFICATE-----\nnone\n");
                break;
            case "key of another certificate":
                File.WriteAllText(_files.Certificate, _authority.Issue("second").ExportCertificatePem());
                break;
            case "missing file":
                File.Delete(_files.Key);
                break;
            case "expired certificate":
                _files.Write(_authority.Issue("second", _start.AddDays(-2), _start.AddDays(-1)));
                break;
            default:
                _files.Write(_authority.Issue("second", _start.AddDays(1), _start.AddDays(2)));
                break;
        }

        for (var minute = 0; minute < 60; minute++)
            _time.Advance(Minute);
        await ReconnectAsync(pair);
        Assert.Equal(["CN=first", "CN=first"], _shown);
        Assert.Contains(_files.Certificate, renewing.CertificateStatus!.ReloadError, StringComparison.Ordinal);
        Assert.Contains(reason, renewing.CertificateStatus.ReloadError, StringComparison.Ordinal);
        Assert.Equal(1, _log.Count("RPC keeps using the previous certificates: The certificate could not be loaded from"));

        _files.Write(_authority.Issue("third"));
        _time.Advance(Minute);
        Assert.Null(renewing.CertificateStatus.ReloadError);
        Assert.Equal(1, _log.Count("can be loaded again"));
        await ReconnectAsync(pair);
        Assert.Equal("CN=third", _shown.Last());
    }

    [Theory]
    [InlineData("failure")]
    [InlineData("null")]
    public async Task Failing_callback_leaves_the_previous_certificate_in_use(string fault)
    {
        var certificate = _authority.Issue("first");
        var isBroken = false;
        var renewing = new RpcTls
        {
            TrustedIssuers = _authority.Roots,
            CertificateCallback = () => !isBroken ? certificate : fault == "null" ? null! : throw new OperationCanceledException("vault is sealed"),
        };
        await using var pair = await StartAsync("server", renewing);
        isBroken = true;
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await ReconnectAsync(pair);
        Assert.NotNull(renewing.CertificateStatus!.ReloadError);
        Assert.Equal(1, _log.Count("could not be loaded by CertificateCallback"));
    }

    [Theory]
    [InlineData("server")]
    [InlineData("channel")]
    public async Task Connection_ends_before_a_certificate_of_either_side_expires_and_is_reopened(string side)
    {
        _files.Write(_authority.Issue("first", _start.AddHours(-1), _start + Hour));
        await using var pair = await StartAsync(side, FromFiles());
        var slow = pair.Channel.CallAsync("slow", "slow", Hello).AsTask();
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        var read = stream.ReadAsync().AsTask();
        await _slowStarted.Task.Soon();
        _files.Write(_authority.Issue("second", _start.AddHours(-1), _start.AddDays(1)));
        _time.Advance(Hour - (5 * Minute) - TimeSpan.FromSeconds(1));
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(1, pair.Transport.Attempts);

        // Five minutes before the end, new calls take a new connection, and those in flight may finish.
        _time.Advance(TimeSpan.FromSeconds(2));
        await Expect.Until(async () =>
        {
            (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
            return pair.Transport.Attempts == 2;
        });
        Assert.Equal(["CN=first", "CN=second"], _shown);
        _slowMayEnd.SetResult();
        (await slow.Soon()).Dispose();
        Assert.False(read.IsCompleted);

        // At the end, calls that are still in flight fail.
        _time.Advance(5 * Minute);
        await read.Fails(RpcStatus.Connection);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(2, pair.Transport.Attempts);
    }

    [Fact]
    public async Task Certificate_renewed_too_late_is_refused_until_then_and_no_restart_is_needed()
    {
        _files.Write(_authority.Issue("first", _start.AddHours(-1), _start + Hour));
        await using var pair = await StartAsync("server", FromFiles());
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        await using var stream = await pair.Channel.OpenStreamAsync("echo", "echo-stream").Soon();
        var read = stream.ReadAsync().AsTask();
        _time.Advance(Hour);
        await read.Fails(RpcStatus.Connection);
        var failure = await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
        Assert.Contains("'CN=first' was refused", failure.Message, StringComparison.Ordinal);
        Assert.Equal(1, _log.Count("RPC certificate 'CN=first' expired at"));

        _files.Write(_authority.Issue("second", _start, _start.AddDays(1)));
        _time.Advance(Minute);
        (await pair.Channel.CallAsync("echo", "echo", Hello, Patient).Soon()).Dispose();
        Assert.Equal("CN=second", _shown.Last());
    }

    [Fact]
    public async Task Expiry_of_a_certificate_is_logged_daily_from_14_days_before()
    {
        var tls = new RpcTls
        {
            Certificate = _authority.Issue("node", _start.AddDays(-60), _start.AddDays(30)),
            ReloadInterval = Hour,
        };
        await using var pair = await StartAsync("server", tls);
        Assert.Equal(16, (tls.CertificateStatus!.RenewBy - _start).TotalDays, 1.0);
        Assert.Equal(30, (tls.CertificateStatus.ExpiresAt - _start).TotalDays, 1.0);
        Assert.Null(tls.CertificateStatus.ReloadError);
        _time.Advance(TimeSpan.FromDays(15.9));
        Assert.False(_log.Contains("has not been renewed"));
        _time.Advance(TimeSpan.FromDays(0.2));
        Assert.Equal(1, _log.Count("RPC certificate 'CN=node' expires at"));
        _time.Advance(TimeSpan.FromDays(13.8));
        Assert.InRange(_log.Count("has not been renewed"), 13, 14);
        _time.Advance(TimeSpan.FromDays(0.2));
        Assert.Equal(1, _log.Count("RPC certificate 'CN=node' expired at"));
    }

    [Fact]
    public async Task Expiry_of_a_short_lived_certificate_is_logged_in_its_last_quarter()
    {
        _files.Write(_authority.Issue("first", _start, _start.AddHours(24)));
        var tls = FromFiles();
        await using var pair = await StartAsync("server", tls);
        Assert.Equal(18, (tls.CertificateStatus!.RenewBy - _start).TotalHours, 0.1);
        _time.Advance(17 * Hour);
        Assert.False(_log.Contains("has not been renewed"));
        _files.Write(_authority.Issue("second", _start.AddHours(16), _start.AddHours(40)));
        _time.Advance(10 * Hour);
        Assert.False(_log.Contains("has not been renewed"));
        Assert.Equal("CN=second", tls.CertificateStatus.Subject);
    }

    [Fact]
    public async Task Copies_of_options_for_other_names_load_the_certificate_once_and_warn_once()
    {
        _files.Write(_authority.Issue("node", _start.AddDays(-60), _start.AddDays(5)));
        var tls = FromFiles() with { RequireClientCertificate = true };
        await using var pair = await Pair.StartAsync(
            "tcp",
            options => options with { Tls = tls, Limits = Calm, TimeProvider = _time, Logger = _log },
            options => options with { Tls = tls with { ServerName = "localhost" }, Limits = Calm, TimeProvider = _time, Logger = _log },
            TestService.Echo);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
        Assert.Equal(1, _log.Count("RPC uses the certificate"));
        Assert.Equal(1, _log.Count("has not been renewed"));
        Assert.Equal("CN=node", (tls with { ServerName = "node" }).CertificateStatus!.Subject);
        Assert.Null((tls with { CertificateFile = "x" }).CertificateStatus);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Trusted_issuers_change_while_channels_run(bool isCallback)
    {
        using var successor = new TestAuthority("Next Root");
        X509Certificate2Collection roots = _authority.Roots;
        _files.WriteIssuers(roots);
        await using var pair = await Pair.StartAsync(
            server: options => options with
            {
                Tls = new RpcTls { Certificate = successor.Issue("node") },
                Limits = Calm,
                TimeProvider = _time,
            },
            channel: options => options with
            {
                Tls = isCallback ? new RpcTls { TrustedIssuersCallback = () => roots } : new RpcTls { TrustedIssuersFile = _files.Issuers },
                Limits = Calm,
                TimeProvider = _time,
                Logger = _log,
            },
            services: TestService.Echo);
        var failure = await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
        Assert.Contains("does not trust", failure.Message, StringComparison.Ordinal);
        File.WriteAllText(_files.Issuers, "");
        _time.Advance(Minute);
        await pair.Channel.CallAsync("echo", "echo", Hello).Fails(RpcStatus.Unauthenticated);
        Assert.Equal(isCallback ? 0 : 1, _log.Count("The trusted issuers could not be loaded from"));

        roots = [.. _authority.Roots, .. successor.Roots];
        _files.WriteIssuers(roots);
        _time.Advance(Minute);
        (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
    }

    [Fact]
    public async Task Pinned_certificate_that_has_expired_does_not_end_connections()
    {
        await using var pair = await Pair.StartAsync(
            server: options => options with
            {
                Tls = new RpcTls { Certificate = _authority.Issue("old", isExpired: true) },
                Limits = Calm,
                TimeProvider = _time,
            },
            channel: options => options with
            {
                Tls = new RpcTls { Validate = (certificate, _, _) => certificate.Subject == "CN=old" },
                Limits = Calm,
                TimeProvider = _time,
            },
            services: TestService.Echo);
        for (var hour = 0; hour < 3; hour++)
        {
            (await pair.Channel.CallAsync("echo", "echo", Hello).Soon()).Dispose();
            _time.Advance(Hour);
        }

        Assert.Equal(1, pair.Transport.Attempts);
    }

    [Fact]
    public void Options_that_conflict_or_cannot_be_loaded_are_refused_by_name()
    {
        var certificate = _authority.Issue("node");
        AssertRefused(new RpcTls { Certificate = certificate, CertificateFile = "x" }, "Only one of Certificate");
        AssertRefused(new RpcTls { CertificateKeyFile = "x" }, "CertificateFile is not");
        AssertRefused(new RpcTls { TrustedIssuers = [], TrustedIssuersFile = "x" }, "Only one of TrustedIssuers");
        AssertRefused(new RpcTls { CertificateFile = _files.Certificate, CertificateKeyFile = _files.Key }, _files.Certificate);
        AssertRefused(new RpcTls { CertificateCallback = () => throw new IOException("vault is sealed") }, "vault is sealed");
        AssertRefused(new RpcTls { TrustedIssuersFile = _files.Issuers }, _files.Issuers);
        foreach (var interval in (TimeSpan[])[TimeSpan.Zero, TimeSpan.MinValue, TimeSpan.MaxValue, Timeout.InfiniteTimeSpan, TimeSpan.FromDays(60)])
            AssertRefused(new RpcTls { ReloadInterval = interval }, "ReloadInterval must be");

        // Options that were refused can be used once they are corrected.
        var tls = FromFiles() with { TrustedIssuers = null, TrustedIssuersFile = _files.Issuers };
        _files.Write(certificate);
        AssertRefused(tls, _files.Issuers);
        _files.WriteIssuers(_authority.Roots);
        tls.Check(isServer: true);
        Assert.Equal("CN=node", tls.CertificateStatus!.Subject);
        Assert.Null((tls with { ReloadInterval = Hour }).CertificateStatus);

        static void AssertRefused(RpcTls tls, string reason) => Assert.Contains(
            reason, Assert.ThrowsAny<ArgumentException>(() => tls.Check(isServer: false)).Message, StringComparison.Ordinal);
    }

    RpcTls FromFiles() => new() { CertificateFile = _files.Certificate, CertificateKeyFile = _files.Key, TrustedIssuers = _authority.Roots };

    /// <summary>Starts a pair with mutual TLS. The certificate of one side is renewed, and the other side records it.</summary>
    Task<Pair> StartAsync(string renewed, RpcTls renewing)
    {
        var lasting = new RpcTls
        {
            Certificate = _authority.Issue("lasting", _start.AddDays(-1), _start.AddYears(1)),
            Validate = (certificate, _, errors) =>
            {
                _shown.Enqueue(certificate.Subject);
                return errors == System.Net.Security.SslPolicyErrors.None;
            },
            TrustedIssuers = _authority.Roots,
            RequireClientCertificate = true,
        };
        return Pair.StartAsync(
            "tcp",
            options => options with
            {
                Tls = renewed == "server" ? renewing : lasting,
                Limits = Calm,
                TimeProvider = _time,
                Logger = _log,
            },
            options => options with
            {
                Tls = renewed == "server" ? lasting : renewing,
                Limits = Calm,
                TimeProvider = _time,
                Logger = _log,
            },
            TestService.Echo,
            new WaitingService(),
            new TestService("slow", handlers => handlers.HandleBytes("slow", async (request, _) =>
            {
                _slowStarted.SetResult();
                await _slowMayEnd.Task;
                return request.Payload;
            })));
    }

    /// <summary>Cuts the connection and opens another one.</summary>
    async Task ReconnectAsync(Pair pair)
    {
        var attempts = pair.Transport.Attempts;
        var lost = pair.Channel.CallAsync("test", "wait", default).AsTask();
        await pair.Transport.CutAsync();
        await lost.Fails(RpcStatus.Connection);
        var call = pair.Channel.CallAsync("echo", "echo", Hello, Patient).AsTask();
        await Expect.Until(() =>
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            return call.IsCompleted;
        });
        (await call).Dispose();
        Assert.True(pair.Transport.Attempts > attempts);
    }
}
