using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Datacake.Rpc;

namespace Datacake.Benchmarks.Rpc;

/// <summary>What protects the links of our systems in a cell.</summary>
/// <param name="Name">Names it after a system; empty for no protection.</param>
/// <param name="Secret">The cluster secret, or null.</param>
/// <param name="Tls">TLS with certificates of both sides, or null.</param>
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
