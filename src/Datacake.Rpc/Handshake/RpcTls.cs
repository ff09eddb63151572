using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc.Contracts;
using Datacake.Rpc.Handshake;

namespace Datacake.Rpc;

/// <summary>
/// The TLS options of a server or channel: encryption, and the certificates of both sides. One instance can be used for both. Nodes that
/// call each other need one certificate each, which they use both as server and as client.
/// </summary>
/// <remarks>
/// <para>The operating system determines the version of TLS and its ciphers. Sessions are not resumed, so every connection checks the
/// certificates again.</para>
/// <para>A certificate from a callback or from files can be renewed while servers and channels are running. New connections then use the
/// new one. An open connection ends before any of its certificates expires: that of this side, that of the other side, or that of an
/// issuer. Five minutes before, the connection stops accepting new calls, and the next call of the channel opens another connection. Calls
/// and streams that are still in flight at the expiry fail with <see cref="RpcStatus.Connection"/>.</para>
/// </remarks>
public sealed record RpcTls
{
    CertificateStore? _store;

    /// <summary>
    /// Gets or sets the certificate of this side, with its private key. A server needs one from this property, <see cref="CertificateCallback"/> or
    /// <see cref="CertificateFile"/>. A channel presents it to servers that request one. The server or channel does not dispose the
    /// certificate, which must stay valid as long as the server or channel is in use.
    /// </summary>
    public X509Certificate2? Certificate { get; set; }

    /// <summary>
    /// Gets or sets a function that returns the certificate of this side, with its private key. Use it in place of <see cref="Certificate"/>. It is
    /// called before each handshake and once per <see cref="ReloadInterval"/>, on any thread, one call at a time. It should return quickly,
    /// and return the same object while the certificate is unchanged. If it throws, the last certificate stays in use. The server or
    /// channel does not dispose the certificates. The application must not dispose one while handshakes with it are in progress.
    /// </summary>
    public Func<X509Certificate2>? CertificateCallback { get; set; }

    /// <summary>
    /// Gets or sets the path of a PEM file that contains the certificate of this side, followed by its intermediate certificates. Use it in place
    /// of <see cref="Certificate"/>. The file is read again when it changes, even if a symbolic link was switched. If a new file cannot be
    /// used, the last certificate stays in use.
    /// </summary>
    public string? CertificateFile { get; set; }

    /// <summary>
    /// Gets or sets the path of a PEM file that contains the private key of <see cref="CertificateFile"/>. By default, the key is in that file
    /// itself.
    /// </summary>
    public string? CertificateKeyFile { get; set; }

    /// <summary>
    /// Gets or sets the intermediate certificates between the root and <see cref="Certificate"/> or the result of
    /// <see cref="CertificateCallback"/>. They are sent together with the certificate. The default is none.
    /// </summary>
    public X509Certificate2Collection? Intermediates { get; set; }

    /// <summary>
    /// Gets or sets the trusted roots for the certificate of the other side: those of a private authority, or a self-signed certificate itself. If
    /// set, the roots of the operating system are not trusted. The default is the roots of the operating system.
    /// </summary>
    public X509Certificate2Collection? TrustedIssuers { get; set; }

    /// <summary>
    /// Gets or sets a function that returns the trusted issuers. Use it in place of <see cref="TrustedIssuers"/>. It is called like
    /// <see cref="CertificateCallback"/>.
    /// </summary>
    public Func<X509Certificate2Collection>? TrustedIssuersCallback { get; set; }

    /// <summary>
    /// Gets or sets the path of a PEM file that contains the trusted issuers. Use it in place of <see cref="TrustedIssuers"/>. The file is read
    /// again when it changes, like <see cref="CertificateFile"/>.
    /// </summary>
    public string? TrustedIssuersFile { get; set; }

    /// <summary>
    /// Gets or sets how often files are checked for changes and callbacks are called apart from handshakes, from 1 ms to 30 days.
    /// The default is 30 s.
    /// </summary>
    public TimeSpan ReloadInterval { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets the current status of this side's certificate for health checks: its expiry, and any error in loading a new one. Null if there
    /// is no certificate, or until a server or channel with these options has started.
    /// </summary>
    public RpcCertificateStatus? CertificateStatus => Store.Status;

    /// <summary>
    /// Gets or sets whether a server requires a certificate from clients (mutual TLS). It is checked like that of a server, except for the name.
    /// The default is <see langword="false"/>: clients are not asked for a certificate.
    /// </summary>
    public bool RequireClientCertificate { get; set; }

    /// <summary>
    /// Gets or sets the name that a channel expects in the certificate of the server. Set it if nodes are addressed by IP address and their
    /// certificates contain the name of the cluster. The default is the host of the address.
    /// </summary>
    public string? ServerName { get; set; }

    /// <summary>
    /// Gets or sets how to check whether a certificate was revoked. The default is no check, because private authorities rarely support it.
    /// </summary>
    public X509RevocationMode Revocation { get; set; } = X509RevocationMode.NoCheck;

    /// <summary>
    /// Gets or sets a function that decides whether to accept the certificate of the other side, in place of the built-in rules. It receives their
    /// result and returns true to accept the certificate. An exception refuses the certificate, and a missing certificate is refused
    /// without calling the function. It is called once per connection, on any thread. By default, a certificate without errors is accepted.
    /// </summary>
    public Func<X509Certificate2, X509Chain, SslPolicyErrors, bool>? Validate { get; set; }

    /// <summary>
    /// Gets the store of the current certificates. Copies of these options share it if their certificates have the same sources, so that
    /// certificates are loaded once and warnings are logged once, even if there are many copies with different server names.
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

    /// <summary>Returns true if both are the same object. Contents are not compared, because the certificates may change.</summary>
    public bool Equals(RpcTls? other) => ReferenceEquals(this, other);

    /// <inheritdoc/>
    public override int GetHashCode() => RuntimeHelpers.GetHashCode(this);

    /// <exception cref="ArgumentException">An option is missing or conflicts with another one, or a certificate cannot be loaded.</exception>
    internal void Check(bool isServer)
    {
        TimeRange.Check(ReloadInterval, TimeRange.Shortest);
        if (RequireClientCertificate && Validate is null && CountOf(TrustedIssuers, TrustedIssuersCallback, TrustedIssuersFile) == 0)
        {
            throw new ArgumentException(
                "RequireClientCertificate without trusted issuers accepts a client certificate of any authority that the operating system "
                + "trusts, which anybody can buy. Set TrustedIssuers, TrustedIssuersFile, TrustedIssuersCallback or Validate in the Tls "
                + "options.");
        }

        var certificates = CountOf(Certificate, CertificateCallback, CertificateFile);
        if (isServer && certificates == 0)
        {
            throw new ArgumentException(
                "A server that uses TLS needs a certificate. Set Certificate, CertificateFile or CertificateCallback in its Tls options.");
        }

        if (certificates > 1)
            throw new ArgumentException("Only one of Certificate, CertificateFile and CertificateCallback may be set in the Tls options.");
        if (CertificateKeyFile is not null && CertificateFile is null)
            throw new ArgumentException("CertificateKeyFile is set in the Tls options, but CertificateFile is not. Set both, or neither.");
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
