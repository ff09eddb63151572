using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Datacake.Operations.Tests;

/// <summary>An issuer of certificates for nodes on loopback.</summary>
sealed class TestIssuer : IDisposable
{
    readonly ECDsa _key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    readonly X509Certificate2 _certificate;

    public TestIssuer()
    {
        var request = new CertificateRequest("CN=Issuer", _key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        _certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-100), DateTimeOffset.UtcNow.AddYears(1));
    }

    /// <summary>Gets the certificate of the issuer.</summary>
    public string Pem => _certificate.ExportCertificatePem();

    /// <summary>Writes a certificate and its key into a folder.</summary>
    public void Issue(string folder, string name, DateTimeOffset expiresAt)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=node", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.Create(_certificate, DateTimeOffset.UtcNow.AddDays(-87), expiresAt, RandomNumberGenerator.GetBytes(8));
        File.WriteAllText(Path.Combine(folder, $"{name}.key"), key.ExportPkcs8PrivateKeyPem());
        File.WriteAllText(Path.Combine(folder, $"{name}.pem"), certificate.ExportCertificatePem());
    }

    public void Dispose()
    {
        _certificate.Dispose();
        _key.Dispose();
    }
}
