using System.Net.Security;
using System.Security.Cryptography;

namespace Datacake.Rpc.Handshake;

/// <summary>The result of a TLS handshake.</summary>
/// <param name="Stream">The encrypted stream.</param>
/// <param name="Refusal">The reason why this side refuses the other side's certificate, or null if it accepts the certificate.</param>
/// <param name="Expires">The time at which the first certificate of both sides' chains expires, if any does.</param>
readonly record struct TlsConnection(SslStream Stream, RpcException? Refusal, DateTimeOffset? Expires)
{
    /// <summary>
    /// Returns the hash of the server's certificate as seen by this side. An attacker between the two sides can only present a different
    /// certificate.
    /// </summary>
    /// <param name="isServer">True if this side is the server.</param>
    public byte[] Binding(bool isServer) =>
        (isServer ? Stream.LocalCertificate : Stream.RemoteCertificate)?.GetCertHash(HashAlgorithmName.SHA256) ?? [];
}
