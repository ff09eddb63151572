using System.Security.Cryptography.X509Certificates;

namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>A directory with a certificate, its key and its issuers, laid out as an orchestrator mounts them.</summary>
sealed class CertificateFiles : IDisposable
{
    readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("datacake-tls-");

    public string Certificate => Path.Combine(_directory.FullName, "tls.crt");

    public string Key => Path.Combine(_directory.FullName, "tls.key");

    public string Issuers => Path.Combine(_directory.FullName, "ca.crt");

    /// <summary>Writes a certificate, followed by other certificates.</summary>
    public void Write(X509Certificate2 certificate, params X509Certificate2Collection others)
    {
        X509Certificate2Collection all = [certificate, .. others];
        File.WriteAllText(Certificate, all.ExportCertificatePems());
        File.WriteAllText(Key, KeyOf(certificate));
    }

    public void WriteIssuers(params X509Certificate2Collection issuers) => File.WriteAllText(Issuers, issuers.ExportCertificatePems());

    /// <summary>Replaces a certificate as Kubernetes does: the files are links into a linked directory, and the link to that directory is swapped.</summary>
    public void Swap(X509Certificate2 certificate)
    {
        Needs.SymbolicLinks(_directory.FullName);
        var version = _directory.CreateSubdirectory(Guid.NewGuid().ToString("N")).FullName;
        File.WriteAllText(Path.Combine(version, "tls.crt"), certificate.ExportCertificatePem());
        File.WriteAllText(Path.Combine(version, "tls.key"), KeyOf(certificate));
        var data = Path.Combine(_directory.FullName, "..data");
        if (Directory.Exists(data))
            Directory.Delete(data);
        Directory.CreateSymbolicLink(data, version);
        foreach (var file in (string[])[Certificate, Key])
        {
            if (!File.Exists(file))
                File.CreateSymbolicLink(file, Path.Combine("..data", Path.GetFileName(file)));
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    static string KeyOf(X509Certificate2 certificate)
    {
        using var key = certificate.GetECDsaPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem();
    }
}
