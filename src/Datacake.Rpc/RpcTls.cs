using System.Net.Security;
using System.Security.Cryptography.X509Certificates;

namespace Datacake.Rpc;

/// <summary>
/// How connections are encrypted, and whose certificates are accepted. The same options may serve both sides: nodes that call each other
/// have one certificate each, which they show as server and as client.
/// </summary>
/// <remarks>
/// The version of TLS and its ciphers are those of the operating system. Sessions are not resumed: every connection checks the
/// certificates anew.
/// </remarks>
public sealed record RpcTls
{
    /// <summary>
    /// This side's certificate, with its private key. A server needs one; a channel shows it to servers that ask for it. It must outlive
    /// the server or channel, which does not dispose it.
    /// </summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>The certificates between <see cref="Certificate"/> and its root, which are sent along with it. Default: none.</summary>
    public X509Certificate2Collection? Intermediates { get; init; }

    /// <summary>
    /// The roots that the other side's certificate must come from: a private authority, or a self-signed certificate itself. When set,
    /// the operating system's roots count for nothing. Default: the operating system's roots.
    /// </summary>
    public X509Certificate2Collection? TrustedIssuers { get; init; }

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

    /// <exception cref="ArgumentException">An option is missing or makes no sense.</exception>
    internal void Check(bool isServer)
    {
        if (isServer && Certificate is null)
            throw new ArgumentException("A server that speaks TLS needs a certificate: set Certificate in its Tls options.");
        if (Certificate is { HasPrivateKey: false })
        {
            throw new ArgumentException(
                $"The certificate '{Certificate.Subject}' has no private key. Load it with its key, from a PFX or with CreateFromPemFile.");
        }
    }
}
