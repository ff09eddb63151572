using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>A certificate authority that lives as long as a test.</summary>
sealed class TestAuthority : IDisposable
{
    readonly X509Certificate2 _root;
    readonly List<X509Certificate2> _issued = [];

    public TestAuthority(string name = "Test Root")
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        var now = DateTimeOffset.UtcNow;
        _root = request.CreateSelfSigned(now.AddYears(-2), now.AddYears(2));
    }

    public X509Certificate2Collection Roots => [_root];

    /// <summary>A certificate for 127.0.0.1, localhost and <paramref name="name"/>, valid around now, or up to an hour ago.</summary>
    public X509Certificate2 Issue(string name, bool isExpired = false)
    {
        var end = isExpired ? DateTimeOffset.UtcNow.AddHours(-1) : DateTimeOffset.UtcNow.AddMonths(6);
        return Issue(name, end.AddYears(-1), end);
    }

    /// <summary>Creates a certificate that is valid as the test says.</summary>
    public X509Certificate2 Issue(string name, DateTimeOffset begin, DateTimeOffset end)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        using var issued = request.Create(_root, begin, end, RandomNumberGenerator.GetBytes(8));
        var certificate = issued.CopyWithPrivateKey(key);
        _issued.Add(certificate);
        return certificate;
    }

    public void Dispose()
    {
        _root.Dispose();
        foreach (var certificate in _issued)
            certificate.Dispose();
    }
}
