using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc.Handshake;

namespace Datacake.Rpc;

/// <summary>
/// How connections are encrypted, and whose certificates are accepted. The same options may serve both sides: nodes that call each other
/// have one certificate each, which they show as server and as client.
/// </summary>
/// <remarks>
/// <para>The version of TLS and its ciphers are those of the operating system. Sessions are not resumed: every connection checks the
/// certificates anew.</para>
/// <para>A certificate that comes from a callback or from files can be renewed while servers and channels run: new connections use the
/// new one. Open connections end before a certificate expires that they were opened with, this side's, the other's, or an issuer's: five minutes
/// before that, they take no new calls, and the channel opens another connection with its next call; calls and streams that are still
/// in flight at the end fail with <see cref="RpcStatus.Connection"/>.</para>
/// </remarks>
public sealed record RpcTls
{
    CertificateStore? _store;

    /// <summary>
    /// This side's certificate, with its private key. A server needs one, from here, <see cref="CertificateCallback"/> or <see
    /// cref="CertificateFile"/>; a channel shows it to servers that ask for it. It must outlive the server or channel, which does not
    /// dispose it.
    /// </summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>
    /// Returns this side's certificate, with its private key, in place of <see cref="Certificate"/>. Called before each handshake and once
    /// for each <see cref="ReloadInterval"/>, from any thread, one call at a time; returns soon, and the same object while the certificate
    /// is the same. When it throws, the certificate that it returned last stays in use. What it returns is not disposed here, and must
    /// not be disposed elsewhere while handshakes with it are under way.
    /// </summary>
    public Func<X509Certificate2>? CertificateCallback { get; init; }

    /// <summary>
    /// The path of a PEM file with this side's certificate, followed by those between it and its root, in place of <see
    /// cref="Certificate"/>. The file is read anew when it changes, also behind a symbolic link. While a new file cannot be used, the
    /// certificate that was read last stays in use.
    /// </summary>
    public string? CertificateFile { get; init; }

    /// <summary>The path of a PEM file with the private key of <see cref="CertificateFile"/>. Default: the key is in that file.</summary>
    public string? CertificateKeyFile { get; init; }

    /// <summary>
    /// The certificates between <see cref="Certificate"/>, or what <see cref="CertificateCallback"/> returns, and its root, which are sent
    /// along with it. Default: none.
    /// </summary>
    public X509Certificate2Collection? Intermediates { get; init; }

    /// <summary>
    /// The roots that the other side's certificate must come from: a private authority, or a self-signed certificate itself. When set,
    /// the operating system's roots count for nothing. Default: the operating system's roots.
    /// </summary>
    public X509Certificate2Collection? TrustedIssuers { get; init; }

    /// <summary>
    /// Returns the trusted issuers in place of <see cref="TrustedIssuers"/>. Called like <see cref="CertificateCallback"/>.
    /// </summary>
    public Func<X509Certificate2Collection>? TrustedIssuersCallback { get; init; }

    /// <summary>
    /// The path of a PEM file with the trusted issuers, in place of <see cref="TrustedIssuers"/>. Read anew when it changes, like <see
    /// cref="CertificateFile"/>.
    /// </summary>
    public string? TrustedIssuersFile { get; init; }

    /// <summary>
    /// Sets how often files are looked at for changes, and callbacks are called beside handshakes. From 1 ms to 30 days. Default: 30 s.
    /// </summary>
    public TimeSpan ReloadInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets this side's certificate as it is now, for a health check: when it expires, and whether it can be renewed. Null without a
    /// certificate, and until a server or channel with these options has started.
    /// </summary>
    public RpcCertificateStatus? CertificateStatus => Store.Status;

    /// <summary>
    /// A server's: whether clients must show a certificate, which is then checked like a server's but for the name (mutual TLS).
    /// Default: false; clients are not asked for one.
    /// </summary>
    public bool RequireClientCertificate { get; init; }

    /// <summary>
    /// A channel's: the name that the server's certificate must be for. Default: the host of the address. Set it where nodes are
    /// addressed by IP and their certificates carry the name of the cluster.
    /// </summary>
    public string? ServerName { get; init; }

    /// <summary>Whether to ask the issuer if a certificate was revoked. Default: no, since a private authority seldom answers.</summary>
    public X509RevocationMode Revocation { get; init; } = X509RevocationMode.NoCheck;

    /// <summary>
    /// Decides on the other side's certificate instead of the rules above, whose findings it is given: true accepts. It is not asked
    /// about a certificate that is missing. An exception refuses. Called once for each connection, from any thread. Default: what has
    /// no errors is accepted.
    /// </summary>
    public Func<X509Certificate2, X509Chain, SslPolicyErrors, bool>? Validate { get; init; }

    /// <summary>
    /// Gets the certificates as they are now. A copy of these options shares them, unless it takes them from elsewhere: they are loaded once, and
    /// warnings are logged once, however many names of servers the copies are for.
    /// </summary>
    internal CertificateStore Store
    {
        get
        {
            var store = Volatile.Read(ref _store);
            while (store is null || !store.IsOf(this))
            {
                Interlocked.CompareExchange(ref _store, new CertificateStore(this), store);
                store = Volatile.Read(ref _store);
            }

            return store;
        }
    }

    /// <summary>True if both are the same object, since their certificates may change.</summary>
    public bool Equals(RpcTls? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

    /// <exception cref="ArgumentException">An option is missing or makes no sense, or a certificate cannot be loaded.</exception>
    internal void Check(bool isServer)
    {
        TimeRange.Check(ReloadInterval, TimeRange.Shortest);
        if (RequireClientCertificate && Validate is null && CountOf(TrustedIssuers, TrustedIssuersCallback, TrustedIssuersFile) == 0)
        {
            throw new ArgumentException(
                "RequireClientCertificate accepts certificates of every authority that the operating system trusts, which sells them to anybody. Say whose count: "
                + "set TrustedIssuers, TrustedIssuersFile or TrustedIssuersCallback, or Validate.");
        }

        var certificates = CountOf(Certificate, CertificateCallback, CertificateFile);
        if (isServer && certificates == 0)
        {
            throw new ArgumentException(
                "A server that speaks TLS needs a certificate: set Certificate, CertificateFile or CertificateCallback in its Tls options.");
        }

        if (certificates > 1)
            throw new ArgumentException("Only one of Certificate, CertificateFile and CertificateCallback may be set in the Tls options.");
        if (CertificateKeyFile is not null && CertificateFile is null)
            throw new ArgumentException("CertificateKeyFile is set in the Tls options, and CertificateFile is not.");
        if (CountOf(TrustedIssuers, TrustedIssuersCallback, TrustedIssuersFile) > 1)
        {
            throw new ArgumentException(
                "Only one of TrustedIssuers, TrustedIssuersFile and TrustedIssuersCallback may be set in the Tls options.");
        }

        Store.Load();
    }

    static int CountOf(params ReadOnlySpan<object?> options)
    {
        var count = 0;
        foreach (var option in options)
            count += option is null ? 0 : 1;
        return count;
    }
}
