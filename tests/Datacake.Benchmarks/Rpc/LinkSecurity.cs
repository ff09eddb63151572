using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc;

namespace Datacake.Benchmarks.Rpc;

/// <summary>The protection of links between Datacake nodes in a cell.</summary>
/// <param name="Name">The suffix of the system's name; empty for no protection.</param>
/// <param name="Secret">The cluster secret; null for none.</param>
/// <param name="Tls">The options for TLS with certificates on both sides; null for no TLS.</param>
sealed record LinkSecurity(string Name, string? Secret, RpcTls? Tls)
{
    public static LinkSecurity None { get; } = new("", null, null);

    public static LinkSecurity ClusterSecret { get; } = new(", secret", Convert.ToHexString(RandomNumberGenerator.GetBytes(16)), null);

    public static LinkSecurity MutualTls { get; } = new(", TLS", null, NewTls());

    static RpcTls NewTls()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=benchmark", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        var now = DateTimeOffset.UtcNow;
        var certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(365));
        return new RpcTls { Certificate = certificate, TrustedIssuers = [certificate], RequireClientCertificate = true };
    }
}
