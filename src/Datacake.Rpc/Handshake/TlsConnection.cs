using System.Net.Security;
using System.Security.Cryptography;

namespace Datacake.Rpc.Handshake;

/// <summary>A connection past its TLS handshake.</summary>
/// <param name="Stream">What both sides say.</param>
/// <param name="Refusal">Why this side refuses the other's certificate; null: it does not.</param>
/// <param name="Expires">When the first certificate of both sides' chains expires, if any does.</param>
readonly record struct TlsConnection(SslStream Stream, RpcException? Refusal, DateTimeOffset? Expires)
{
    /// <summary>
    /// Returns the hash of the server's certificate, as this side has seen it. Whoever stands between two sides has to show another one than the server's.
    /// </summary>
    /// <param name="isServer">True if this side is the server.</param>
    public byte[] Binding(bool isServer) =>
        (isServer ? Stream.LocalCertificate : Stream.RemoteCertificate)?.GetCertHash(HashAlgorithmName.SHA256) ?? [];
}
