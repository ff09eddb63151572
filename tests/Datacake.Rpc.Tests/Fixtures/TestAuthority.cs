using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>A certificate authority that exists only during a test.</summary>
sealed class TestAuthority : IDisposable
{
    readonly List<X509Certificate2> _issued = [];

    public TestAuthority(string name = "Test Root")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var now = DateTimeOffset.UtcNow;
        Certificate = NewRequest(name, key).CreateSelfSigned(now.AddYears(-2), now.AddYears(2));
    }

    TestAuthority(X509Certificate2 certificate) => Certificate = certificate;

    public X509Certificate2 Certificate { get; }

    public X509Certificate2Collection Roots => [Certificate];

    /// <summary>Creates an intermediate authority below this one. The certificates that it issues may expire after it.</summary>
    public TestAuthority IssueAuthority(string name, DateTimeOffset begin, DateTimeOffset end)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var issued = Sign(NewRequest(name, key), begin, end);
        return new TestAuthority(issued.CopyWithPrivateKey(key));
    }

    /// <summary>Issues a certificate for 127.0.0.1, localhost and <paramref name="name"/> that is valid now, or that expired up to an hour ago.</summary>
    public X509Certificate2 Issue(string name, bool isExpired = false)
    {
        var end = isExpired ? DateTimeOffset.UtcNow.AddHours(-1) : DateTimeOffset.UtcNow.AddMonths(6);
        return Issue(name, end.AddYears(-1), end);
    }

    /// <summary>Issues a certificate with the given period of validity.</summary>
    public X509Certificate2 Issue(string name, DateTimeOffset begin, DateTimeOffset end)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var issued = Sign(request, begin, end);
        var certificate = issued.CopyWithPrivateKey(key);
        _issued.Add(certificate);
        return certificate;
    }

    /// <summary>Issues another certificate for an authority that this one has issued, with the same name and key.</summary>
    public X509Certificate2 Renew(TestAuthority issued, DateTimeOffset begin, DateTimeOffset end)
    {
        var request = new CertificateRequest(issued.Certificate.SubjectName, issued.Certificate.PublicKey, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        return Sign(request, begin, end);
    }

    public void Dispose()
    {
        Certificate.Dispose();
        foreach (var certificate in _issued)
            certificate.Dispose();
    }

    static CertificateRequest NewRequest(string name, ECDsa key)
    {
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request;
    }

    // Use a signature generator, because otherwise .NET refuses a certificate that expires after its issuer.
    X509Certificate2 Sign(CertificateRequest request, DateTimeOffset begin, DateTimeOffset end)
    {
        using var key = Certificate.GetECDsaPrivateKey()!;
        return request.Create(
            Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(key), begin, end, RandomNumberGenerator.GetBytes(8));
    }
}
