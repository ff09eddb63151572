using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Datacake.Trials.Driving;

/// <summary>An authority that writes certificates to files for workers.</summary>
sealed class CertificateAuthority : IDisposable
{
    readonly X509Certificate2 _root;
    readonly string _folder;

    public CertificateAuthority(string folder)
    {
        _folder = folder;
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Trial Root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        _root = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddYears(-1), DateTimeOffset.UtcNow.AddYears(1));
        RootFile = Path.Combine(folder, "root.cer");
        File.WriteAllBytes(RootFile, _root.Export(X509ContentType.Cert));
    }

    /// <summary>Gets the file with the authority's own certificate.</summary>
    public string RootFile { get; }

    /// <summary>Writes a certificate for some host names, together with its key.</summary>
    /// <returns>The PKCS#12 file.</returns>
    public string Issue(params string[] names)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={names[0]}", key, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (string name in names)
            alternatives.AddDnsName(name);
        request.CertificateExtensions.Add(alternatives.Build());
        using var issued = request.Create(_root, DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30), RandomNumberGenerator.GetBytes(8));
        using var certificate = issued.CopyWithPrivateKey(key);
        string file = Path.Combine(_folder, $"{names[0]}.p12");
        File.WriteAllBytes(file, certificate.Export(X509ContentType.Pkcs12));
        return file;
    }

    public void Dispose() => _root.Dispose();
}
